using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Optimizers;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>Length, optimizer, schedule and evaluation of a run.</summary>
internal sealed record TrainOptions
{
    [Range(1, int.MaxValue), Description("Passes over the training data.")]
    public int Epochs { get; init; } = 2;

    [Range(1, int.MaxValue), Description("Instead of `epochs`: optimizer steps.")]
    public int? Steps { get; init; }

    [Range(1, int.MaxValue), Description("Rows of one micro-batch.")]
    public int BatchSize { get; init; } = 16;

    [Range(1, int.MaxValue), Description("Micro-batches of one optimizer step.")]
    public int GradientAccumulation { get; init; } = 1;

    [Description("The optimizer and its settings.")]
    public OptimizerOptions Optimizer { get; init; } = new();

    [Description("How the learning rate changes over the run.")]
    public ScheduleOptions Schedule { get; init; } = new();

    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true),
        Description("Largest norm of all gradients together; null: no clipping.")]
    public double? Clip { get; init; } = 1;

    [Description("When to evaluate: epoch, never, or a number of steps.")]
    public Interval EvaluateEvery { get; init; } = Interval.Epoch;

    [Description("When to save a checkpoint: epoch, never, or a number of steps.")]
    public Interval SaveEvery { get; init; } = Interval.Epoch;

    [Description("The metric whose best checkpoint becomes the adapter; null: the last one.")]
    public string? KeepBest { get; init; }

    [Description("Stop when a metric no longer improves.")]
    public EarlyStopOptions? EarlyStop { get; init; }

    [OutsideIdentity, Range(1, int.MaxValue),
        Description("Steps between the lines of progress where the output is not a terminal; null: a line every 2 seconds.")]
    public int? LogEvery { get; init; }

    [OutsideIdentity, Description("Prompts that a decoder continues after each evaluation.")]
    public IReadOnlyList<string> Samples { get; init; } = [];
}

/// <summary>The learning rate over the run.</summary>
internal sealed record ScheduleOptions
{
    [Choice("constant", "linear", "cosine"), Description("The shape after the warm-up.")]
    public string Name { get; init; } = "linear";

    [Range(0, 1), Description("Share of all steps over which the learning rate rises, rounded up.")]
    public double WarmupRatio { get; init; } = 0.06;

    [Range(0, int.MaxValue), Description("Instead of `warmupRatio`: steps over which the learning rate rises.")]
    public int? WarmupSteps { get; init; }
}

/// <summary>When to stop early.</summary>
internal sealed record EarlyStopOptions
{
    [Description("loss, or a metric of the task.")]
    public string Metric { get; init; } = "loss";

    [Range(1, int.MaxValue), Description("Evaluations without improvement that are tolerated.")]
    public int Patience { get; init; } = 3;
}
