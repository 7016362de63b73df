using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Where graphs run, and what there is to choose from: the first argument of whatever computes.</summary>
/// <remarks>Any thread may use it. It holds no session: those who open some close them.</remarks>
public sealed class OrtEngine : IGraphEvaluator, IDisposable
{
    private readonly ILogger _log;
    private bool _isDisposed;

    /// <summary>An engine.</summary>
    /// <param name="options">Device, threads, catalog and loggers; null = all cores of the CPU, and what comes with this project.</param>
    /// <exception cref="LortaException">LRT610: unknown device; LRT611: CUDA cannot be used.</exception>
    public OrtEngine(OrtEngineOptions? options = null)
    {
        Options = options ?? new OrtEngineOptions();
        _log = Options.Loggers?.CreateLogger("LoRTA.Onnx") ?? NullLogger.Instance;
        if (OrtEnvironment.Open(Options.AllowTelemetry) is { } doubt) EngineLog.Telemetry(_log, doubt);
        Options.CheckDevice();
    }

    /// <summary>Device, threads, catalog and loggers.</summary>
    public OrtEngineOptions Options { get; }

    /// <inheritdoc/>
    public LortaCatalog Catalog => Options.Catalog;

    /// <summary>Takes what an operator should read.</summary>
    internal ILogger Log => _log;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The engine was closed.</exception>
    public ICompiledGraph Compile(OnnxModel model)
    {
        ThrowIfDisposed();
        return new Compiled(model, Options);
    }

    /// <summary>Closes the engine: nothing is opened with it any more. What is open stays so.</summary>
    public void Dispose() => _isDisposed = true;

    /// <summary>Refuses to open anything after the engine was closed.</summary>
    /// <exception cref="ObjectDisposedException">The engine was closed.</exception>
    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    private sealed class Compiled : ICompiledGraph
    {
        private readonly OrtWeights _weights = new();
        private readonly InferenceSession _session;
        private readonly string _name;

        public Compiled(OnnxModel model, OrtEngineOptions settings)
        {
            _name = model.Path.Length > 0 ? model.Path : "a graph";
            _session = _weights.Open(model, settings);
        }

        public IReadOnlyDictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> inputs)
        {
            _weights.CheckFiles();
            using var run = new OrtRun(_session);
            foreach (var name in _session.InputNames)
                run.Bind(name, inputs.GetValueOrDefault(name) ?? throw RuntimeErrors.MissingInput(name));
            foreach (var (name, tensor) in inputs.Where(input => _session.OverridableInitializerMetadata.ContainsKey(input.Key)))
                run.Bind(name, tensor);
            using var outputs = run.Run(_name, _session.OutputNames);
            return _session.OutputNames.Zip(outputs, (name, value) => (name, OrtTensors.FromOrt(value)))
                .ToDictionary(pair => pair.name, pair => pair.Item2, StringComparer.Ordinal);
        }

        public void Dispose()
        {
            _session.Dispose();
            _weights.Dispose();
        }
    }
}
