using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>A tensor that an optimizer keeps for each trained tensor, of the same shape and 0 at first.</summary>
/// <param name="Kind">Its kind in checkpoints: <c>first.A</c> of the tensor <c>A</c>.</param>
/// <param name="Suffix">What its input in the optimizer's graph ends in: <c>A.m</c>.</param>
public sealed record OptimizerState(string Kind, string Suffix)
{
    /// <summary>Its name in checkpoints.</summary>
    /// <param name="tensor">Name of the trained tensor.</param>
    internal string Stored(string tensor) => new TensorName(Kind, tensor);

    /// <summary>Its input in the optimizer's graph.</summary>
    /// <param name="tensor">Name of the trained tensor.</param>
    internal string Input(string tensor) => $"{tensor}.{Suffix}";
}

/// <summary>Inputs and outputs that the graph of every optimizer has; a trained tensor's input bears its own name.</summary>
internal static class OptimizerNames
{
    /// <summary>Input, float scalar: learning rate of this step, before the groups' factors.</summary>
    public const string LearningRate = "lr";

    /// <summary>Input, int64 scalar: number of this step, from 1.</summary>
    public const string Step = "step";

    /// <summary>Output, float scalar: joint norm of all gradients before clipping.</summary>
    public const string GradientNorm = "grad_norm";

    /// <summary>Name of the input that takes a tensor's gradient.</summary>
    public static string Gradient(string tensor) => $"{tensor}.grad";

    /// <summary>Name of the output with the next value of an input: of a trained tensor, or of what is kept for it.</summary>
    public static string Next(string input) => $"{input}.next";
}
