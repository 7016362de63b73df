using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.Runtime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>A runtime that trains stacks of tensors, seen from outside as the tensors themselves.</summary>
internal sealed class StackedRuntime : IGradientRuntime
{
    private readonly StackedTensors _stacked;
    private readonly OrtSessionRuntime _inner;

    /// <summary>Opens the sessions.</summary>
    /// <param name="graphs">The graphs and the tensors that move.</param>
    /// <param name="settings">Device and threads.</param>
    /// <param name="dropout">Source of dropout masks.</param>
    public StackedRuntime(TrainingGraphs graphs, OrtEngineOptions settings, DropoutMasks? dropout = null)
    {
        _stacked = new StackedTensors(graphs);
        _inner = new OrtSessionRuntime(_stacked.Graphs, settings, dropout);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Gradients
    {
        get
        {
            var gradients = _inner.Gradients;
            return _stacked.Split(name => gradients[name]).ToDictionary(pair => pair.Name, pair => pair.Tensor, StringComparer.Ordinal);
        }
    }

    /// <inheritdoc/>
    public TrainingState State
    {
        get => Map(_inner.State, _stacked.Split);
        set => _inner.State = Map(value, _stacked.Join);
    }

    /// <inheritdoc/>
    public long StepCount => _inner.StepCount;

    /// <inheritdoc/>
    public void ClearGradients() => _inner.ClearGradients();

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch) => _inner.Forward(batch);

    /// <inheritdoc/>
    public double Accumulate(Batch batch, double weight) => _inner.Accumulate(batch, weight);

    /// <inheritdoc/>
    public double? Step(double learningRateFactor) => _inner.Step(learningRateFactor);

    /// <inheritdoc/>
    public void Dispose() => _inner.Dispose();

    private TrainingState Map(TrainingState state, Func<Func<string, OnnxTensor>, IEnumerable<(string Name, OnnxTensor Tensor)>> map)
    {
        Func<string, string>[] kinds = [name => name, .. _stacked.Graphs.OptimizerState.Select(kept => (Func<string, string>)kept.Stored)];
        return state with
        {
            Tensors = kinds.SelectMany(stored => map(name => state.Tensors[stored(name)])
                .Select(pair => (Name: stored(pair.Name), pair.Tensor)))
                .ToDictionary(pair => pair.Name, pair => pair.Tensor, StringComparer.Ordinal),
        };
    }
}
