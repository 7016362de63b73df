using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Measures a model with plain ONNX Runtime.</summary>
internal sealed class OrtForward : IForwardRuntime
{
    private readonly OrtWeights _weights = new();
    private readonly InferenceSession _session;
    private Dictionary<string, OrtValue> _values;
    private readonly ResidentInputs _inputs;
    private readonly BatchFeeds _feeds = new(dropout: null);
    private readonly BatchRuns _batches;

    /// <summary>Opens the session.</summary>
    /// <param name="graph">Batch in; loss and outputs out.</param>
    /// <param name="settings">Device and threads.</param>
    /// <param name="values">Inputs that are the same for every batch: factors, trained parameters.</param>
    public OrtForward(EvaluationGraph graph, OrtEngineOptions settings, IReadOnlyDictionary<string, OnnxTensor> values)
    {
        _batches = graph.Batches;
        _session = _weights.Open(graph.Model, settings);
        _values = ToOrt(values);
        _inputs = new ResidentInputs(settings, _weights, _values);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch) => new FittedBatch(batch, _batches).Forward(Evaluate);

    /// <summary>Gives the inputs that are the same for every batch new values.</summary>
    /// <param name="values">All of them.</param>
    public void Change(IReadOnlyDictionary<string, OnnxTensor> values)
    {
        var old = _values;
        _values = ToOrt(values);
        _inputs.Change(_values);
        foreach (var value in old.Values) value.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _inputs.Dispose();
        _session.Dispose();
        foreach (var value in _values.Values) value.Dispose();
        _weights.Dispose();
    }

    private IReadOnlyDictionary<string, OnnxTensor> Evaluate(Batch batch)
    {
        _weights.CheckFiles();
        using var run = new OrtRun(_session);
        foreach (var name in _inputs.Bind(run, _session.InputNames))
            run.Bind(name, _feeds.For(name, InputPort.Of(_session.InputMetadata[name]), (batch, 1), (0, 0)));
        return run.Evaluate();
    }

    private static Dictionary<string, OrtValue> ToOrt(IReadOnlyDictionary<string, OnnxTensor> values) =>
        values.ToDictionary(value => value.Key, value => OrtTensors.ToOrt(value.Value), StringComparer.Ordinal);
}
