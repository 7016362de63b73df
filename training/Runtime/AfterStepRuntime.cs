using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>A runtime whose family changes factors after each step; the state of the family is kept with the trained tensors.</summary>
/// <param name="inner">What computes; disposed of with this.</param>
/// <param name="graphs">What is trained.</param>
/// <param name="afterStep">The family's part.</param>
internal sealed class AfterStepRuntime(IGradientRuntime inner, TrainingGraphs graphs, IAfterStep afterStep) : IGradientRuntime
{
    private const double ClipEpsilon = 1e-6;   // as in the optimizer's graph

    private readonly SortedDictionary<string, OnnxTensor> _state = Sorted(afterStep.InitialState);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Gradients => inner.Gradients;

    /// <inheritdoc/>
    public long StepCount => inner.StepCount;

    /// <inheritdoc/>
    public void ClearGradients() => inner.ClearGradients();

    /// <inheritdoc/>
    public long FirstFinalStep => afterStep.FirstFinalStep;

    /// <inheritdoc/>
    public TrainingState State
    {
        get
        {
            var state = inner.State;
            var own = _state.Select(pair => KeyValuePair.Create(Stored(pair.Key), pair.Value));
            return state with { Tensors = state.Tensors.Concat(own).ToDictionary(StringComparer.Ordinal) };
        }

        set
        {
            inner.State = value;
            foreach (var name in _state.Keys.ToList()) _state[name] = value.Tensors[Stored(name)];
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, OnnxTensor> Forward(Batch batch) => inner.Forward(batch);

    /// <inheritdoc/>
    public double Accumulate(Batch batch, double weight) => inner.Accumulate(batch, weight);

    /// <inheritdoc/>
    public double? Step(double learningRateFactor)
    {
        var gradients = inner.Gradients;
        var norm = inner.Step(learningRateFactor);
        if (norm is not { } length || !double.IsFinite(length)) return norm;   // whoever called ends the run
        var state = inner.State;
        var factors = graphs.Trained.Where(tensor => tensor.Input.Kind == TensorKind.Factor).Select(tensor => tensor.Name).ToList();
        var clip = graphs.Options.Clip is { } limit ? (float)Math.Min(1, limit / (length + ClipEpsilon)) : 1;
        var change = afterStep.Apply(new FinishedStep
        {
            Step = state.Step,
            Factors = factors.ToDictionary(name => name, name => state.Tensors[name], StringComparer.Ordinal),
            Gradients = factors.ToDictionary(name => name, name => Scaled(gradients[name], clip), StringComparer.Ordinal),
            State = _state,
        });
        foreach (var (name, value) in change.State) _state[name] = value;
        if (change.Factors.Count > 0)
            inner.State = state with
            {
                Tensors = state.Tensors.ToDictionary(
                    pair => pair.Key, pair => change.Factors.GetValueOrDefault(pair.Key) ?? pair.Value, StringComparer.Ordinal),
            };
        return norm;
    }

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();

    private static string Stored(string name) => new TensorName(TensorKind.Family, name);

    private static OnnxTensor Scaled(OnnxTensor gradient, float factor) =>
        factor == 1 ? gradient : OnnxTensor.Of<float>([.. gradient.Dims], Array.ConvertAll(gradient.ToFloats(), value => value * factor));

    private static SortedDictionary<string, OnnxTensor> Sorted(IReadOnlyDictionary<string, OnnxTensor> state) =>
        new(state.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
}
