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
}

/// <summary>An evaluation after a step.</summary>
internal sealed record EvaluationRecord
{
    public required long Step { get; init; }

    public required double Loss { get; init; }

    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new OrderedDictionary<string, double>();
}

/// <summary>Several trackers as one.</summary>
internal sealed class Trackers(params IReadOnlyList<ITracker> trackers) : ITracker
{
    public void Step(StepRecord record)
    {
        foreach (var tracker in trackers) tracker.Step(record);
    }

    public void Evaluation(EvaluationRecord record)
    {
        foreach (var tracker in trackers) tracker.Evaluation(record);
    }

    public void Note(string text)
    {
        foreach (var tracker in trackers) tracker.Note(text);
    }
}

/// <summary>Hands a run's records to whoever displays progress: <see cref="StepRecord"/>, <see cref="EvaluationRecord"/> or a
/// text.</summary>
internal sealed class ProgressTracker(IProgress<object> progress) : ITracker
{
    public void Step(StepRecord record) => progress.Report(record);

    public void Evaluation(EvaluationRecord record) => progress.Report(record);

    public void Note(string text) => progress.Report(text);
}
