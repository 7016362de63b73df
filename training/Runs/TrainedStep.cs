namespace LoRTA.Onnx.Training.Runs;

/// <summary>An optimizer step that was made.</summary>
/// <param name="Batches">What it learned from.</param>
/// <param name="Loss">Mean loss over their labels.</param>
/// <param name="GradNorm">Joint norm of the gradients before clipping; null where the runtime does not tell.</param>
/// <param name="LearningRate">The peak learning rate times the schedule's factor.</param>
internal sealed record TrainedStep(IReadOnlyList<Batch> Batches, double Loss, double? GradNorm, double LearningRate)
{
    public long Rows => Batches.Sum(batch => (long)batch.Rows);

    public long Tokens => Batches.Sum(batch => (long)batch.Tokens);

    /// <summary>As an event.</summary>
    /// <param name="step">Its number.</param>
    /// <param name="steps">All steps of the run.</param>
    /// <param name="seconds">How long it took.</param>
    public StepEvent ToEvent(long step, long steps, double seconds)
    {
        var measured = Math.Max(1e-9, seconds);   // a clock may stand still
        return new StepEvent
        {
            Step = step,
            Steps = steps,
            Loss = Loss,
            LearningRate = LearningRate,
            GradNorm = GradNorm,
            SamplesPerSecond = Rows / measured,
            TokensPerSecond = Tokens / measured,
            MemoryBytes = Environment.WorkingSet,
        };
    }
}
