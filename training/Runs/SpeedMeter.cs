using System.Diagnostics;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Measures speed and memory from step to step, and how long the rest of the run takes.</summary>
/// <param name="clock">The clock.</param>
/// <param name="plan">The steps and evaluations of the run.</param>
/// <param name="firstStep">Steps that were done before.</param>
internal sealed class SpeedMeter(TimeProvider clock, RunPlan plan, long firstStep = 0)
{
    private long _last = clock.GetTimestamp();
    private (double Seconds, int Count) _evaluating;

    /// <summary>All steps that were measured.</summary>
    public TrainingSpeed Total { get; private set; }

    /// <summary>Takes the time since the last step or evaluation for that of a step.</summary>
    public StepEvent Measure(RunState run, TrainedStep step)
    {
        var seconds = Lap();
        Total = new(Total.Rows + step.Rows, Total.Tokens + step.Tokens, Total.Seconds + seconds);
        return step.ToEvent(run.Step, plan.Steps, seconds) with
        {
            Epoch = plan.EpochsAt(run),
            SecondsLeft = (Total.Seconds / (run.Step - firstStep) * (plan.Steps - run.Step)) + EvaluatingLeft(run.Step),
        };
    }

    /// <summary>Takes the time since the last step or evaluation for that of an evaluation.</summary>
    public void Evaluated() => _evaluating = (_evaluating.Seconds + Lap(), _evaluating.Count + 1);

    private double EvaluatingLeft(long step) =>
        _evaluating.Count == 0 ? 0 : _evaluating.Seconds / _evaluating.Count * plan.EvaluationsAfter(step);

    private double Lap()
    {
        var (before, now) = (_last, clock.GetTimestamp());
        _last = now;
        return clock.GetElapsedTime(before, now).TotalSeconds;
    }

    /// <summary>Most memory that the process ever had, in bytes.</summary>
    public static long PeakMemory
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }
}

/// <summary>What steps learned from, and how long they took without the evaluations between them.</summary>
internal readonly record struct TrainingSpeed(long Rows, long Tokens, double Seconds)
{
    /// <summary>0 before the first step.</summary>
    public double SamplesPerSecond => Seconds > 0 ? Rows / Seconds : 0;

    /// <inheritdoc cref="SamplesPerSecond"/>
    public double TokensPerSecond => Seconds > 0 ? Tokens / Seconds : 0;
}
