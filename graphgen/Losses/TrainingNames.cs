namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>Names of inputs and outputs that training graphs have beside the model's own; those of a kind have a
/// <see cref="Ir.TensorName"/>.</summary>
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

    /// <summary>Output: the index of the largest score of each token.</summary>
    public const string Likeliest = "likeliest";
}
