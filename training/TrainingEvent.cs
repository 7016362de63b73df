using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training;

/// <summary>What happens during training and measuring: a <see cref="StepEvent"/>, an <see cref="EvaluationEvent"/>, a
/// <see cref="NoteEvent"/> or a <see cref="WorkEvent"/>.</summary>
public abstract record TrainingEvent;

/// <summary>A finished optimizer step.</summary>
public sealed record StepEvent : TrainingEvent
{
    /// <summary>Finished steps, this one included.</summary>
    public required long Step { get; init; }

    /// <summary>All steps of the run; of a step outside a run, as many as were planned, or its own number.</summary>
    public required long Steps { get; init; }

    /// <summary>Passes over the data so far, with the fraction of the current one where the number of batches is known.</summary>
    public double Epoch { get; init; }

    /// <summary>Mean loss over the labels of the step.</summary>
    public required double Loss { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double LearningRate { get; init; }

    /// <summary>Joint norm of all gradients before clipping.</summary>
    public double? GradNorm { get; init; }

    /// <summary>Rows per second since the step or evaluation before.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>Tokens per second since the step or evaluation before, without padding.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Memory of the process, in bytes.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Seconds until the end of the run, evaluations included; null outside a run.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>Whether a display without a live line shows it; null = when it is time.</summary>
    public bool? IsDue { get; init; }
}

/// <summary>An evaluation after a step.</summary>
public sealed record EvaluationEvent : TrainingEvent
{
    /// <summary>Finished steps; 0 = before the first.</summary>
    public required long Step { get; init; }

    /// <summary>Mean loss over all labels.</summary>
    public required double Loss { get; init; }

    /// <summary>The metrics of the task, by name, in the order of reports.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new OrderedDictionary<string, double>();
}

/// <summary>What is to be known of a run: what its data are, where it continues, a warning.</summary>
/// <param name="Text">One or more sentences.</param>
public sealed record NoteEvent(string Text) : TrainingEvent;

/// <summary>How far it is with work that is not a step.</summary>
/// <param name="Work">What is done, and how much of it.</param>
public sealed record WorkEvent(WorkProgress Work) : TrainingEvent
{
    internal static WorkEvent Uncounted(string what) => new(WorkProgress.Uncounted(what));
}

/// <summary>Hands on how far it is as events.</summary>
internal sealed class WorkReports(IProgress<TrainingEvent> events) : IProgress<WorkProgress>
{
    public void Report(WorkProgress value) => events.Report(new WorkEvent(value));
}
