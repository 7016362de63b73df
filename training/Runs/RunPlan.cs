using System.Globalization;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>How many steps a run has and what happens after each.</summary>
internal sealed record RunPlan
{
    private const long Unknown = long.MaxValue;

    private readonly FitOptions _options;

    private RunPlan(FitOptions options) => _options = options;

    /// <summary>Optimizer steps of one pass over the data; more than any run has where that is not known.</summary>
    public required long StepsPerEpoch { get; init; }

    /// <summary>Optimizer steps of the run.</summary>
    public required long Steps { get; init; }

    /// <summary>Plans a run.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="batchesPerEpoch">Batches of one pass over the data; null = not known before, so that the options must state the
    /// steps.</param>
    public static RunPlan Of(FitOptions options, int? batchesPerEpoch)
    {
        if (batchesPerEpoch is not { } batches)
        {
            var steps = options.Steps
                ?? throw new ArgumentException("State the number of optimizer steps (FitOptions.Steps): that of the batches is not known.");
            return new RunPlan(options) { StepsPerEpoch = Unknown, Steps = steps };
        }
        var perEpoch = (batches + options.Accumulation - 1) / options.Accumulation;
        return new RunPlan(options) { StepsPerEpoch = perEpoch, Steps = options.Steps ?? (long)options.Epochs * perEpoch };
    }

    /// <summary>Passes over the data after a step; their fraction where it is known.</summary>
    public double EpochsAt(RunState run) => StepsPerEpoch == Unknown ? run.Position.Epoch : (double)run.Step / StepsPerEpoch;

    /// <summary>The micro-batches of each optimizer step; a step never spans two epochs.</summary>
    public IEnumerable<IReadOnlyList<Batch>> Groups(IEnumerable<Batch> batches)
    {
        var group = new List<Batch>();
        foreach (var batch in batches)
        {
            group.Add(batch);
            if (!IsWhole(group)) continue;
            yield return group;
            group = [];
        }
    }

    /// <inheritdoc cref="Groups(IEnumerable{Batch})"/>
    public async IAsyncEnumerable<IReadOnlyList<Batch>> Groups(IAsyncEnumerable<Batch> batches)
    {
        var group = new List<Batch>();
        await foreach (var batch in batches.ConfigureAwait(false))
        {
            group.Add(batch);
            if (!IsWhole(group)) continue;
            yield return group;
            group = [];
        }
    }

    public bool IsDone(RunState run) => run.Step >= Steps || run.Waited >= _options.EarlyStop?.Patience;

    /// <summary>Why a run that has not improved is done.</summary>
    public string Patience(RunState run) => string.Create(CultureInfo.InvariantCulture,
        $"{_options.EarlyStop?.Metric} has not improved in {Plural.Of(run.Waited, "evaluation", "evaluations")}");

    /// <summary>Whether there are evaluations in between; the last step is always followed by one.</summary>
    public bool EvaluatesOnTheWay => _options.EvaluateEvery != Interval.Never;

    /// <summary>How many evaluations come after a step, that of the last step included.</summary>
    public long EvaluationsAfter(long step)
    {
        var onTheWay = _options.EvaluateEvery.Count(step, Steps, StepsPerEpoch);
        var isLastCounted = _options.EvaluateEvery.Count(Steps - 1, Steps, StepsPerEpoch) > 0;
        return step >= Steps ? 0 : onTheWay + (isLastCounted ? 0 : 1);
    }

    public bool Evaluates(RunState run) => _options.EvaluateEvery.Includes(run.Step, run.Position.Batch == 0);

    public bool Saves(RunState run) => _options.SaveEvery.Includes(run.Step, run.Position.Batch == 0);

    private bool IsWhole(List<Batch> group) => group.Count >= _options.Accumulation || group[^1].Next.Batch == 0;
}
