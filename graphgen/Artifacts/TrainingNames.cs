using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Names of inputs and outputs that training graphs have beside the model's own.</summary>
public static class TrainingNames
{
    /// <summary>Input: the number that updates are multiplied by; 0 turns the adapter off.</summary>
    public const string Scale = "scale";

    /// <summary>Input: the share of this batch in the step's loss.</summary>
    public const string Weight = "loss_weight";

    /// <summary>Input: what is right.</summary>
    public const string Labels = TaskLosses.Labels;

    /// <summary>Output: the mean loss of the batch, unweighted.</summary>
    public const string Loss = "loss";

    /// <summary>Prefix of the factors' inputs.</summary>
    public const string Factor = "factor.";

    /// <summary>Prefix of the inputs that hold the model's own trained parameters.</summary>
    public const string Parameter = Adapter.ParameterPrefix;

    /// <summary>Prefix of the gradients' outputs.</summary>
    public const string Gradient = "gradient.";

    /// <summary>Prefix of the dropout masks' inputs.</summary>
    public const string Dropout = "dropout.";
}
