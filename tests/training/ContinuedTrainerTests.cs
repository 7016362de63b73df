using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Training.Tests.SampleTrainer;

namespace LoRTA.Onnx.Training.Tests;

internal sealed class ContinuedTrainerTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase(1)]
    [TestCase(5)]
    public void Cancelled_run_continues_in_the_same_trainer_as_if_it_had_never_stopped(int at)
    {
        using var whole = Open();
        using var stopped = Open();
        using var stop = new CancellationTokenSource();
        whole.Fit(Batches, Fit);

        var report = stopped.Fit(Batches, Fit, new AfterStep(at, stop.Cancel), stop.Token);
        var rest = stopped.Fit(Batches, Fit);

        Assert.That((report.Ending, report.Steps, rest.Ending), Is.EqualTo((TrainingEnding.Stopped, (long)at, TrainingEnding.Completed)));
        Assert.That(Bytes(stopped), Is.EqualTo(Bytes(whole)));
    }

    [Test]
    public void Cancelled_run_continues_from_its_folder()
    {
        using var whole = Open();
        whole.Fit(Batches, Fit);
        using var stop = new CancellationTokenSource();
        var options = Fit with { Folder = _folder["run"], Resume = true };
        using (var stopped = Open()) stopped.Fit(Batches, options, new AfterStep(3, stop.Cancel), stop.Token);

        using var resumed = Open();
        var report = resumed.Fit(Batches, options);

        Assert.That((report.Ending, report.Steps), Is.EqualTo((TrainingEnding.Completed, 8L)));
        Assert.That(Bytes(resumed), Is.EqualTo(Bytes(whole)));
    }

    [Test]
    public void State_moves_to_another_trainer()
    {
        using var whole = Open();
        using var first = Open();
        using var second = Open();
        whole.Fit(Batches, Fit);
        foreach (var happened in first.Steps(Batches, Fit)) if (happened is StepEvent { Step: 2 }) break;

        second.State = first.State;
        second.Fit(Batches, Fit);

        Assert.That(Bytes(second), Is.EqualTo(Bytes(whole)));
    }

    [Test]
    public void State_moves_to_another_trainer_with_what_the_family_keeps()
    {
        using var whole = Open(adapter: Allocated);
        using var first = Open(adapter: Allocated);
        using var second = Open(adapter: Allocated);
        whole.Fit(Batches, Fit);
        foreach (var happened in first.Steps(Batches, Fit)) if (happened is StepEvent { Step: 4 }) break;

        second.State = first.State;
        second.Fit(Batches, Fit);

        Assert.That(Bytes(second), Is.EqualTo(Bytes(whole)));
    }

    [Test]
    public void State_of_another_adapter_is_refused_whole()
    {
        using var small = Open();
        using var large = Open(adapter: new() { Method = "lorta", Rank = 3, Alpha = 4, Targets = ["q", "v"] });
        var before = Bytes(large);

        Assert.That(() => large.State = small.State, Throws.ArgumentException.With.Message.Match(@"^The state does not fit: '.*' is float\[.*, should be float\["));
        Assert.That(Bytes(large), Is.EqualTo(before));
    }

    [Test]
    public void Best_state_before_a_stop_is_still_the_best_after_it()
    {
        using var whole = Open(learningRate: 0.3);
        using var stopped = Open(learningRate: 0.3);
        using var stop = new CancellationTokenSource();
        var options = Fit with { Validation = () => Batches, EvaluateEvery = Interval.Every(1), KeepBest = "loss" };
        var expected = whole.Fit(Batches, options);

        stopped.Fit(Batches, options, new AfterStep(6, stop.Cancel), stop.Token);
        var report = stopped.Fit(Batches, options);

        Assert.That((report.Loss, report.LossStep), Is.EqualTo((expected.Loss, expected.LossStep)));
        Assert.That(expected.LossStep, Is.LessThan(6));
    }

    [Test]
    public void Best_state_is_kept_without_files()
    {
        using var trainer = Open(learningRate: 0.3);   // too large: it gets worse
        var measured = new List<EvaluationEvent>();

        foreach (var happened in trainer.Steps(Batches, Fit with { Validation = () => Batches, EvaluateEvery = Interval.Every(1), KeepBest = "loss" }))
            if (happened is EvaluationEvent { Step: > 0 } evaluation) measured.Add(evaluation);

        Assert.That(measured[^1].Loss, Is.GreaterThan(measured.Min(evaluation => evaluation.Loss)));
        Assert.That(trainer.Evaluate(Batches).Loss, Is.EqualTo(measured.Min(evaluation => evaluation.Loss)));
    }

    [Test]
    public void Run_of_which_nothing_is_left_is_refused()
    {
        using var trainer = Open();
        trainer.Fit(Batches, Fit);

        Assert.That(() => trainer.Fit(Batches, Fit), Throws.ArgumentException.With.Message.Contains("8 steps"));
    }

    [Test]
    public void Checkpoints_of_another_run_are_not_replaced()
    {
        using var trainer = Open();
        trainer.Fit(Batches, Fit with { Folder = _folder["run"] });
        using var other = Open();

        var failure = Assert.Throws<LortaException>(() => other.Fit(Batches, Fit with { Folder = _folder["run"] }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT564", $"{_folder["run"]}: holds the checkpoints of another run.")));
    }

    [Test]
    public void Continued_run_is_logged()
    {
        var log = new LogLines();
        using var engine = new OrtEngine(new() { Threads = 1, Loggers = log });
        var options = Fit with { Folder = _folder["run"], Resume = true };
        using (var first = Open()) first.Fit(Batches, options with { Steps = 3 });

        using var second = Open(engine: engine);
        second.Fit(Batches, options with { Steps = 5 });

        Assert.That(log.Lines, Is.EqualTo(new[] { $"Information 692: {_folder["run"]}: continues after step 3" }));
    }
}
