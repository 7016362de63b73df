using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Where a run stands, apart from the tensors.</summary>
internal sealed record RunState
{
    /// <summary>Finished optimizer steps.</summary>
    public long Step { get; init; }

    /// <summary>Where the data go on.</summary>
    public DataPosition Position { get; init; }

    /// <summary>Loss of the last step; NaN where none is known.</summary>
    public double Loss { get; init; } = double.NaN;

    /// <summary>The last evaluation.</summary>
    public EvaluationEvent? Evaluation { get; init; }

    /// <summary>Best value of the metric that is watched, and its step.</summary>
    public double? Best { get; init; }

    /// <inheritdoc cref="Best"/>
    public long? BestStep { get; init; }

    /// <summary>Evaluations since the best one.</summary>
    public int Waited { get; init; }

    /// <summary>The step after which the run was made longer, so that its schedule changed; null = it was not.</summary>
    public long? ExtendedAt { get; init; }

    /// <summary>After one more step.</summary>
    public RunState Next(IReadOnlyList<Batch> group, double loss) => this with
    {
        Step = Step + 1,
        Position = group[^1].Next,
        Loss = loss,
    };

    /// <summary>After an evaluation: is it the best so far?</summary>
    public RunState Judge(EvaluationEvent record, string? metric, TrainingTask task)
    {
        if (metric is null) return this with { Evaluation = record };
        var value = metric == "loss" ? record.Loss : record.Metrics[metric];
        var isBest = !double.IsNaN(value) && (Best is not { } best || (task.IsHigherBetter(metric) ? value > best : value < best));
        return isBest
            ? this with { Evaluation = record, Best = value, BestStep = Step, Waited = 0 }
            : this with { Evaluation = record, Waited = Waited + 1 };
    }
}
