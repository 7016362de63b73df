using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>Options of single tasks.</summary>
public sealed record TaskOptions
{
    /// <summary>masked-lm: the share of tokens that is masked.</summary>
    [Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true), Description("masked-lm: the share of tokens that is masked.")]
    public double Probability { get; init; } = 0.15;

    /// <summary>loss: the model's output that is the loss.</summary>
    [Description("loss: the model's output that is the loss.")]
    public string Output { get; init; } = "loss";
}
