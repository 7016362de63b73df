using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoRTA.Onnx.Runtime;

/// <summary>Where graphs run, and what there is to choose from: the first argument of whatever computes.</summary>
/// <remarks>Any thread may use it. It holds no session: those who open some close them.</remarks>
public sealed class OrtEngine : IGraphEvaluator, IDisposable
{
    private readonly ILogger _log;
    private bool _isDisposed;

    /// <summary>An engine.</summary>
    /// <param name="options">Device, threads, catalog and loggers; null = all cores of the CPU, and what comes with this project.</param>
    /// <exception cref="LortaException">LRT610: unknown device; LRT611: CUDA cannot be used; LRT619: the native library cannot be
    /// used.</exception>
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

    private sealed class Compiled(OnnxModel model, OrtEngineOptions settings) : ICompiledGraph
    {
        private readonly OpenModel _open = new(model, settings);

        public IReadOnlyDictionary<string, OnnxTensor> Run(IReadOnlyDictionary<string, OnnxTensor> inputs)
        {
            using var run = _open.Begin();
            foreach (var name in _open.Session.InputNames)
                run.Bind(name, inputs.GetValueOrDefault(name) ?? throw RuntimeErrors.MissingInput(name));
            foreach (var (name, tensor) in inputs.Where(input => _open.Session.OverridableInitializerMetadata.ContainsKey(input.Key)))
                run.Bind(name, tensor);
            return run.Evaluate(_open.Name);
        }

        public void Dispose() => _open.Dispose();
    }
}
