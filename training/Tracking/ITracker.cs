using System.Text.Json.Serialization;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>Takes note of a run while it is in progress: a log, a display, a report.</summary>
internal interface ITracker
{
    void Step(StepRecord record);

    void Evaluation(EvaluationRecord record);

    void Note(string text);
}

/// <summary>A logged optimizer step.</summary>
internal sealed record StepRecord
{
    /// <summary>Finished steps.</summary>
    public required long Step { get; init; }

    /// <summary>All steps of the run.</summary>
    public required long Steps { get; init; }

    /// <summary>Passes over the data so far, with the fraction of the current one.</summary>
    public double Epoch { get; init; }

    public required double Loss { get; init; }

    public double LearningRate { get; init; }

    /// <summary>Joint norm of all gradients before clipping.</summary>
    public double? GradNorm { get; init; }

    public double SamplesPerSecond { get; init; }

    public double TokensPerSecond { get; init; }

    public long MemoryBytes { get; init; }

    public double? SecondsLeft { get; init; }

    /// <summary>Whether a display without a live line shows it; null = when it is time.</summary>
    [JsonIgnore]
    public bool? IsDue { get; init; }
}

/// <summary>An evaluation after a step.</summary>
internal sealed record EvaluationRecord
{
    public required long Step { get; init; }

    public required double Loss { get; init; }

    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new OrderedDictionary<string, double>();
}

/// <summary>Hands a run's records to whoever displays progress: <see cref="StepRecord"/>, <see cref="EvaluationRecord"/> or a
/// text.</summary>
/// <param name="progress">The display.</param>
/// <param name="every">Steps between two that are due for display; null = the display decides.</param>
internal sealed class ProgressTracker(IProgress<object> progress, int? every = null) : ITracker
{
    public void Step(StepRecord record) =>
        progress.Report(record with { IsDue = every is { } steps ? record.Step % steps == 0 || record.Step == record.Steps : null });

    public void Evaluation(EvaluationRecord record) => progress.Report(record);

    public void Note(string text) => progress.Report(text);
}
