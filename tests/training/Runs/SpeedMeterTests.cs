using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class SpeedMeterTests
{
    [Test]
    public void Speed_is_that_of_the_last_step()
    {
        var clock = new HandClock();
        var meter = new SpeedMeter(clock, Plan(10));
        clock.Advance(9);
        meter.Measure(new RunState { Step = 1 }, new([RunPlanTests.Batch(rows: 1, tokens: 1)], 1, 1, 1));

        clock.Advance(0.5);
        var record = meter.Measure(new RunState { Step = 2 }, new([RunPlanTests.Batch(rows: 3, tokens: 40), RunPlanTests.Batch(rows: 5, tokens: 60)], 1, 1, 1));

        Assert.That((record.SamplesPerSecond, record.TokensPerSecond), Is.EqualTo((16.0, 200.0)));
    }

    [Test]
    public void Time_left_is_that_of_the_mean_step_since_this_process_took_over()
    {
        var clock = new HandClock();
        var meter = new SpeedMeter(clock, Plan(200), firstStep: 100);
        clock.Advance(8);

        var record = meter.Measure(new RunState { Step = 104 }, new([RunPlanTests.Batch()], 1, 1, 1));

        Assert.That(record.SecondsLeft, Is.EqualTo(192));
    }

    [Test]
    public void Record_repeats_what_it_was_told()
    {
        var record = new SpeedMeter(new HandClock(), Plan(10)).Measure(new RunState { Step = 3 }, new([RunPlanTests.Batch()], Loss: 0.5, GradNorm: 2, LearningRate: 1e-3));

        Assert.That((record.Step, record.Steps, record.Loss, record.GradNorm, record.LearningRate, record.Epoch), Is.EqualTo((3L, 10L, 0.5, (double?)2, 1e-3, 0.75)));
    }

    [Test]
    public void Time_of_an_evaluation_is_none_of_the_next_step()
    {
        var clock = new HandClock();
        var meter = new SpeedMeter(clock, Plan(10));
        clock.Advance(1);
        meter.Measure(new RunState { Step = 1 }, new([RunPlanTests.Batch()], 1, 1, 1));
        clock.Advance(30);
        meter.Evaluated();
        clock.Advance(2);

        var record = meter.Measure(new RunState { Step = 2 }, new([RunPlanTests.Batch(rows: 4)], 1, 1, 1));

        Assert.That(record.SamplesPerSecond, Is.EqualTo(2));
    }

    [Test]
    public void Speed_of_a_run_is_that_of_its_steps_without_its_evaluations()
    {
        var clock = new HandClock();
        var meter = new SpeedMeter(clock, Plan(10));
        clock.Advance(2);
        meter.Measure(new RunState { Step = 1 }, new([RunPlanTests.Batch(rows: 4, tokens: 7)], 1, 1, 1));
        clock.Advance(30);
        meter.Evaluated();
        clock.Advance(1);
        meter.Measure(new RunState { Step = 2 }, new([RunPlanTests.Batch(rows: 2, tokens: 5)], 1, 1, 1));

        Assert.That((meter.Total.SamplesPerSecond, meter.Total.TokensPerSecond), Is.EqualTo((2.0, 4.0)));
    }

    [Test]
    public void Time_left_includes_the_evaluations_to_come()
    {
        var clock = new HandClock();
        var meter = new SpeedMeter(clock, Plan(10, evaluateEvery: 4));   // after steps 4, 8 and 10
        clock.Advance(30);
        meter.Evaluated();
        clock.Advance(2);

        var record = meter.Measure(new RunState { Step = 1 }, new([RunPlanTests.Batch()], 1, 1, 1));

        Assert.That(record.SecondsLeft, Is.EqualTo((9 * 2) + (3 * 30)));
    }

    [Test]
    public void Step_that_takes_no_time_has_a_finite_speed() =>
        Assert.That(new SpeedMeter(new HandClock(), Plan(10)).Measure(new RunState { Step = 1 }, new([RunPlanTests.Batch()], 1, 1, 1)).SamplesPerSecond, Is.LessThan(double.PositiveInfinity));

    [Test]
    public void Peak_memory_is_not_below_the_present_one() => Assert.That(SpeedMeter.PeakMemory, Is.GreaterThanOrEqualTo(1 << 20));

    private static RunPlan Plan(int steps, int evaluateEvery = 1000) =>
        RunPlan.Of(new FitOptions { Steps = steps, EvaluateEvery = Interval.Every(evaluateEvery) }, batchesPerEpoch: 4);

    /// <summary>A clock that is moved by hand.</summary>
    private sealed class HandClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(double seconds) => _ticks += (long)(seconds * TimeSpan.TicksPerSecond);
    }
}
