namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Names by which ONNX Runtime Training recognises inputs and outputs.</summary>
internal static class OrtNames
{
    /// <summary>Input of the training graph, bool [1]: whether gradients replace the sum in the buffers, or are added to it.</summary>
    public const string ResetGradients = "lazy_reset_grad";

    /// <summary>Input of the optimizer's graph, float [1].</summary>
    public const string LearningRate = "learning_rate";

    /// <summary>Input of the optimizer's graph, int64 [1]: number of the step, from 1.</summary>
    public const string Step = "step";

    /// <summary>Inputs of the optimizer's graph, lists of tensors: what it moves, the sums of gradients, and what it keeps.</summary>
    public static readonly string[] Lists = ["params", "gradients", "first_order_moments", "second_order_moments"];

    private const string Gradient = "_grad";

    private static readonly string[] Reserved = [BufferOf(string.Empty), DoneOf(string.Empty), Gradient, ResetGradients];

    /// <summary>Input of the training graph that holds the sum of a parameter's gradients.</summary>
    public static string BufferOf(string parameter) => $"{parameter}{Gradient}.accumulation.buffer";

    /// <summary>Output of the training graph that says whether a gradient was added.</summary>
    public static string DoneOf(string parameter) => $"{parameter}{Gradient}.accumulation.out";

    /// <summary>The ending of a name that the runtime takes for one of its own; null where it has none.</summary>
    public static string? ReservedEndingOf(string name) =>
        Array.Find(Reserved, ending => name.EndsWith(ending, StringComparison.Ordinal));
}
