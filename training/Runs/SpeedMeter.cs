using System.Diagnostics;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Measures speed and memory from step to step.</summary>
/// <param name="clock">The clock.</param>
/// <param name="firstStep">Steps that were done before.</param>
/// <param name="steps">Steps of the run.</param>
internal sealed class SpeedMeter(TimeProvider clock, long firstStep, long steps)
{
    private readonly long _start = clock.GetTimestamp();
    private long _last = clock.GetTimestamp();

    public StepRecord Measure(RunState run, IReadOnlyList<Batch> group, double loss, double norm, double learningRate, double epoch)
    {
        var now = clock.GetTimestamp();
        var seconds = Math.Max(1e-9, clock.GetElapsedTime(_last, now).TotalSeconds);
        var perStep = clock.GetElapsedTime(_start, now).TotalSeconds / (run.Step - firstStep);
        _last = now;
        return new StepRecord
        {
            Step = run.Step,
            Steps = steps,
            Epoch = epoch,
            Loss = loss,
            LearningRate = learningRate,
            GradNorm = norm,
            SamplesPerSecond = group.Sum(batch => batch.Rows) / seconds,
            TokensPerSecond = group.Sum(batch => batch.Tokens) / seconds,
            MemoryBytes = Environment.WorkingSet,
            SecondsLeft = perStep * (steps - run.Step),
        };
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
