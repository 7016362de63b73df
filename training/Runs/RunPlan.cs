using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>How many steps a run has and what happens after each.</summary>
internal sealed record RunPlan
{
    private readonly TrainOptions _options;

    private RunPlan(TrainOptions options) => _options = options;

    /// <summary>Optimizer steps of one pass over the data.</summary>
    public required long StepsPerEpoch { get; init; }

    /// <summary>Optimizer steps of the run.</summary>
    public required long Steps { get; init; }

    public static RunPlan Of(TrainOptions options, int batchesPerEpoch)
    {
        var perEpoch = (batchesPerEpoch + options.GradientAccumulation - 1) / options.GradientAccumulation;
        return new RunPlan(options) { StepsPerEpoch = perEpoch, Steps = options.Steps ?? (long)options.Epochs * perEpoch };
    }

    /// <summary>The micro-batches of each optimizer step; a step never spans two epochs.</summary>
    public IEnumerable<List<Batch>> Groups(IEnumerable<Batch> batches)
    {
        var group = new List<Batch>();
        foreach (var batch in batches)
        {
            group.Add(batch);
            if (group.Count < _options.GradientAccumulation && batch.Next.Batch != 0) continue;
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
}
