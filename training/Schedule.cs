using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training;

/// <summary>How the learning rate changes over a run: it rises from 0 during the warm-up, then follows a shape.</summary>
public sealed record Schedule
{
    /// <summary>The shape after the warm-up: <c>constant</c>, <c>linear</c> or <c>cosine</c>, both down to 0.</summary>
    [Choice("constant", "linear", "cosine"), Description("The shape after the warm-up.")]
    public string Name { get; init; } = "linear";

    /// <summary>Share of all steps over which the learning rate rises, rounded up.</summary>
    [Range(0, 1), Description("Share of all steps over which the learning rate rises, rounded up.")]
    public double WarmupRatio { get; init; } = 0.06;

    /// <summary>Steps over which the learning rate rises, instead of <see cref="WarmupRatio"/>.</summary>
    [Range(0, int.MaxValue), Description("Instead of `warmupRatio`: steps over which the learning rate rises.")]
    public int? WarmupSteps { get; init; }

    /// <summary>Stays at the peak.</summary>
    /// <param name="warmup">Steps of the warm-up.</param>
    public static Schedule Constant(int warmup = 0) => new() { Name = "constant", WarmupSteps = warmup };

    /// <summary>Falls in a straight line, down to 0.</summary>
    /// <param name="warmup">Steps of the warm-up.</param>
    public static Schedule Linear(int warmup = 0) => new() { Name = "linear", WarmupSteps = warmup };

    /// <summary>Falls along half a cosine, down to 0.</summary>
    /// <param name="warmup">Steps of the warm-up.</param>
    public static Schedule Cosine(int warmup = 0) => new() { Name = "cosine", WarmupSteps = warmup };
}
