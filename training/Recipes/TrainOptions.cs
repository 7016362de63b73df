using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>Length, optimizer, schedule and evaluation of a run.</summary>
public sealed record TrainOptions
{
    /// <summary>Passes over the training data.</summary>
    [Range(1, int.MaxValue), Description("Passes over the training data.")]
    public int Epochs { get; init; } = 2;

    /// <summary>Instead of <c>epochs</c>: optimizer steps.</summary>
    [Range(1, int.MaxValue), Description("Instead of `epochs`: optimizer steps.")]
    public int? Steps { get; init; }

    /// <summary>Rows of one micro-batch.</summary>
    [Range(1, int.MaxValue), Description("Rows of one micro-batch.")]
    public int BatchSize { get; init; } = 16;

    /// <summary>Micro-batches of one optimizer step.</summary>
    [Range(1, int.MaxValue), Description("Micro-batches of one optimizer step.")]
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>The optimizer and its settings.</summary>
    [Description("The optimizer and its settings.")]
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>How the learning rate changes over the run.</summary>
    [Description("How the learning rate changes over the run.")]
    public Schedule Schedule { get; init; } = new();

    /// <summary>Largest norm of all gradients together; null: no clipping.</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true),
        Description("Largest norm of all gradients together; null: no clipping.")]
    public double? Clip { get; init; } = 1;

    /// <summary>When to evaluate: epoch, never, or a number of steps.</summary>
    [Description("When to evaluate: epoch, never, or a number of steps.")]
    public Interval EvaluateEvery { get; init; } = Interval.Epoch;

    /// <summary>When to save a checkpoint: epoch, never, or a number of steps.</summary>
    [Description("When to save a checkpoint: epoch, never, or a number of steps.")]
    public Interval SaveEvery { get; init; } = Interval.Epoch;

    /// <summary>The metric whose best checkpoint becomes the adapter; null: the last one.</summary>
    [Description("The metric whose best checkpoint becomes the adapter; null: the last one.")]
    public string? KeepBest { get; init; }

    /// <summary>Stop when a metric no longer improves.</summary>
    [Description("Stop when a metric no longer improves.")]
    public EarlyStop? EarlyStop { get; init; }

    /// <summary>Steps between the lines of progress where the output is not a terminal; null: a line every 2 seconds.</summary>
    [OutsideIdentity, Range(1, int.MaxValue),
        Description("Steps between the lines of progress where the output is not a terminal; null: a line every 2 seconds.")]
    public int? LogEvery { get; init; }

    /// <summary>Prompts that a decoder continues after each evaluation.</summary>
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
