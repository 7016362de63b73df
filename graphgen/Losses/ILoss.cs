using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>A loss by name: what it makes of the model's outputs and the labels, and how labels count.</summary>
public interface ILoss
{
    /// <summary>The name in recipes, as their <c>task</c>.</summary>
    string Name { get; }

    /// <summary>Writes the mean loss over the labels of a batch.</summary>
    /// <param name="model">The model's outputs, and inputs to be added.</param>
    /// <exception cref="LortaException">LRT412: no output fits.</exception>
    LossValue Emit(LossCall model);

    /// <summary>What is measured beside the loss, by the names of evaluations: <c>accuracy</c>, <c>f1</c>, <c>matthews</c> of class scores
    /// [B, C]; <c>pearson</c>, <c>spearman</c>, <c>mse</c> of numbers [B, 1]; <c>tokenAccuracy</c>, <c>perplexity</c> of scores
    /// [B, S, C], each place of which is about the token after it. All of one of these kinds.</summary>
    IReadOnlyList<string> Metrics => [];

    /// <summary>How many labels the mean is over, by which batches are weighed against each other.</summary>
    /// <param name="labels">Labels as the graph input takes them. Integers of −100 and floats that are no number do not count: batches of
    /// a fixed size are filled up with them.</param>
    long CountLabels(OnnxTensor labels) => labels.Type.IsFloat()
        ? labels.ToFloats().LongCount(label => !float.IsNaN(label))
        : labels.ToLongs().LongCount(label => label != TaskLosses.Ignored);
}

/// <summary>What a loss writes.</summary>
/// <param name="Loss">The loss, a float scalar.</param>
/// <param name="Scores">The output that it is made of, which metrics and predictions read; null where the model computes the loss
/// itself.</param>
public readonly record struct LossValue(Expr Loss, Expr? Scores = null);

/// <summary>Losses that are one function.</summary>
public static class Loss
{
    /// <summary>A loss of a name.</summary>
    /// <param name="name">The name in recipes.</param>
    /// <param name="emit">Writes the mean loss over the labels of a batch.</param>
    /// <param name="metrics">See <see cref="ILoss.Metrics"/>.</param>
    public static ILoss Of(string name, Func<LossCall, LossValue> emit, params IReadOnlyList<string> metrics) =>
        new LossOfFunction(name, emit, metrics);

    private sealed class LossOfFunction(string name, Func<LossCall, LossValue> emit, IReadOnlyList<string> metrics) : ILoss
    {
        public string Name => name;

        public IReadOnlyList<string> Metrics => metrics;

        public LossValue Emit(LossCall model) => emit(model);
    }
}
