using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Where graphs run: ONNX Runtime on a device, with a number of threads. Any thread may use it.</summary>
/// <param name="settings">Device, threads and catalog; null = all cores of the CPU, and what comes with this project.</param>
public sealed class OrtEngine(OrtSettings? settings = null) : IGraphEvaluator
{
    /// <summary>Device and threads.</summary>
    public OrtSettings Settings { get; } = settings ?? new OrtSettings();

    /// <inheritdoc/>
    public LortaCatalog Catalog => Settings.Catalog;

    /// <inheritdoc/>
    public ICompiledGraph Compile(OnnxModel model) => new Compiled(model, Settings);

    private sealed class Compiled : ICompiledGraph
    {
        private readonly OrtWeights _weights = new();
        private readonly InferenceSession _session;
        private readonly string _name;

        public Compiled(OnnxModel model, OrtSettings settings)
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
