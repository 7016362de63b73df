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

    public bool Evaluates(RunState run) => _options.EvaluateEvery.Includes(run.Step, run.Position.Batch == 0);

    public bool Saves(RunState run) => _options.SaveEvery.Includes(run.Step, run.Position.Batch == 0);
}
