using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;

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
    public Schedule Schedule { get; init; } = new();

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
    public EarlyStop? EarlyStop { get; init; }

    [OutsideIdentity, Range(1, int.MaxValue),
        Description("Steps between the lines of progress where the output is not a terminal; null: a line every 2 seconds.")]
    public int? LogEvery { get; init; }

    [OutsideIdentity, Description("Prompts that a decoder continues after each evaluation.")]
    public IReadOnlyList<string> Samples { get; init; } = [];

    /// <summary>The same for a trainer.</summary>
    /// <param name="validation">The batches to evaluate on; null = there are none.</param>
    public FitOptions ToFit(Func<IEnumerable<Batch>>? validation) => new()
    {
        Steps = Steps,
        Epochs = Epochs,
        Accumulation = GradientAccumulation,
        Schedule = Schedule,
        Validation = validation,
        EvaluateEvery = EvaluateEvery,
        SaveEvery = SaveEvery,
        KeepBest = KeepBest,
        EarlyStop = EarlyStop,
    };
}
