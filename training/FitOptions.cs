using System.ComponentModel.DataAnnotations;
using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training;

/// <summary>Length, schedule, evaluations and files of a training run.</summary>
public sealed record FitOptions
{
    /// <summary>Optimizer steps of the run; null = as many as <see cref="Epochs"/> take.</summary>
    [Range(1, int.MaxValue)]
    public int? Steps { get; init; }

    /// <summary>Passes over the batches, where <see cref="Steps"/> is null.</summary>
    [Range(1, int.MaxValue)]
    public int Epochs { get; init; } = 1;

    /// <summary>Batches of one optimizer step. A step never spans two passes over the batches.</summary>
    [Range(1, int.MaxValue)]
    public int Accumulation { get; init; } = 1;

    /// <summary>The learning rate over the run; its peak is the optimizer's.</summary>
    public Schedule Schedule { get; init; } = new();

    /// <summary>The batches to evaluate on, made anew for each evaluation; null = there are no evaluations.</summary>
    public Func<IEnumerable<Batch>>? Validation { get; init; }

    /// <summary>When to evaluate. The last step is always followed by an evaluation, the first step preceded by one unless this is
    /// <see cref="Interval.Never"/>.</summary>
    public Interval EvaluateEvery { get; init; } = Interval.Epoch;

    /// <summary>The metric whose best state is kept at the end (<c>loss</c>, or one of the task's); null = the last state.</summary>
    public string? KeepBest { get; init; }

    /// <summary>When to end before the last step; null = never.</summary>
    public EarlyStop? EarlyStop { get; init; }

    /// <summary>Where checkpoints are kept, in the folder <c>checkpoints</c>; null = nowhere.</summary>
    public string? Folder { get; init; }

    /// <summary>When to save a checkpoint in <see cref="Folder"/>. One is always saved at the end, and when training is
    /// cancelled.</summary>
    public Interval SaveEvery { get; init; } = Interval.Epoch;

    /// <summary>Whether to continue from the newest checkpoint in <see cref="Folder"/>, if there is one.</summary>
    public bool Resume { get; init; }

    /// <summary>What does not fit, by the place of the option; ranges aside.</summary>
    /// <param name="task">The task, whose metrics may be named.</param>
    /// <param name="needsEvaluations">What is said of an option that needs evaluations where there are none.</param>
    internal IEnumerable<RecipeProblem> Problems(TrainingTask? task, string needsEvaluations)
    {
        if (Schedule.WarmupSteps > Steps)
            yield return new("schedule.warmupSteps", string.Create(CultureInfo.InvariantCulture,
                $"must be <= train.steps ({Steps}), was {Schedule.WarmupSteps}"));
        if (Resume && Folder is null) yield return new("resume", "needs Folder");
        var metrics = (task?.MetricNames ?? []).Prepend("loss").ToList();
        var evaluates = Validation is not null && EvaluateEvery != Interval.Never;
        foreach (var (key, metric) in new[] { ("keepBest", KeepBest), ("earlyStop.metric", EarlyStop?.Metric) })
        {
            if (metric is null) continue;
            if (!metrics.Contains(metric, StringComparer.Ordinal))
                yield return new(key, $"must be one of {string.Join(", ", metrics)}, was '{metric}'");
            if (!evaluates) yield return new(key, needsEvaluations);
        }
    }

    /// <summary>Refuses options that do not fit.</summary>
    /// <exception cref="ArgumentException">Names all of them.</exception>
    internal void Validate(TrainingTask task, LortaCatalog catalog)
    {
        var problems = OptionChecks.Check(this with { Validation = null }, catalog)
            .Concat(Problems(task, "needs Validation, and EvaluateEvery other than never"))
            .Select(problem => $"FitOptions.{problem.Path}: {problem.Text}")
            .ToList();
        if (problems.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, problems));
    }
}
