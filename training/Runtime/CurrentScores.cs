using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>The scores of a model in training; its session is opened when they are first asked for.</summary>
/// <param name="graphs">The graphs; their evaluation graph is copied, with all of its outputs.</param>
/// <param name="settings">Device and threads.</param>
internal sealed class CurrentScores(TrainingGraphs graphs, OrtEngineOptions settings) : IDisposable
{
    private readonly EvaluationGraph _graph = graphs.Evaluation with { Model = graphs.Eval.Clone() };
    private OrtForward? _forward;

    /// <summary>The scores of a batch.</summary>
    /// <param name="batch">The batch; labels are not needed.</param>
    /// <param name="state">The tensors as they are now.</param>
    public IReadOnlyDictionary<string, OnnxTensor> Of(Batch batch, TrainingState state)
    {
        var values = Values(state);
        if (_forward is null) _forward = Open(values);
        else _forward.Change(values);
        return _forward.Forward(batch);
    }

    /// <inheritdoc/>
    public void Dispose() => _forward?.Dispose();

    private OrtForward Open(Dictionary<string, OnnxTensor> values)
    {
        _graph.RemoveLoss();
        return new OrtForward(_graph, settings, values);
    }

    // Trained and frozen tensors, by input.
    private Dictionary<string, OnnxTensor> Values(TrainingState state) =>
        graphs.Trained.Select(tensor => KeyValuePair.Create(tensor.Input.ToString(), state.Tensors[tensor.Name]))
            .Concat(graphs.Frozen).ToDictionary(StringComparer.Ordinal);
}
