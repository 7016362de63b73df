namespace LoRTA.Onnx.Training.Tracking;

/// <summary>Takes note of a run while it is in progress: a log, a display, a report.</summary>
internal interface ITracker
{
    void Step(StepEvent record);

    void Evaluation(EvaluationEvent record);

    void Note(string text);
}

/// <summary>Hands a run's records to whoever displays progress: <see cref="StepEvent"/>, <see cref="EvaluationEvent"/> or
/// <see cref="NoteEvent"/>.</summary>
/// <param name="progress">The display.</param>
/// <param name="every">Steps between two that are due for display; null = the display decides.</param>
internal sealed class ProgressTracker(IProgress<TrainingEvent>? progress, int? every = null) : ITracker
{
    public void Step(StepEvent record) =>
        progress?.Report(record with { IsDue = every is { } steps ? record.Step % steps == 0 || record.Step == record.Steps : null });

    public void Evaluation(EvaluationEvent record) => progress?.Report(record);

    public void Note(string text) => progress?.Report(new NoteEvent(text));
}
