using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Training.Tests.SampleTrainer;

namespace LoRTA.Onnx.Training.Tests;

internal sealed class AdapterTrainerTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Run_learns_and_tells_of_each_step_and_evaluation()
    {
        using var trainer = Open();

        var events = trainer.Steps(Batches, new FitOptions { Epochs = 3, Schedule = Schedule.Linear(warmup: 2), Validation = () => Batches }).ToList();

        var losses = events.OfType<EvaluationEvent>().Select(measured => measured.Loss).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(events.OfType<StepEvent>().Select(step => (step.Step, step.Steps)), Is.EqualTo(Enumerable.Range(1, 12).Select(n => ((long)n, 12L))));
            Assert.That(events.OfType<EvaluationEvent>().Select(measured => measured.Step), Is.EqualTo(new[] { 0L, 4, 8, 12 }));
            Assert.That(losses[^1], Is.LessThan(losses[0]));
            Assert.That(trainer.Evaluate(Batches).Loss, Is.EqualTo(losses[^1]));
        }
    }

    [Test]
    public void Halves_of_a_step_make_the_step()
    {
        using var whole = Open();
        using var halves = Open();

        var step = whole.Step(Batches[0], Batches[1]);
        var loss = halves.Accumulate(Batches[0], share: 0.5) + halves.Accumulate(Batches[1], share: 0.5);
        var norm = halves.Update();

        Assert.That((loss, (double?)norm), Is.EqualTo((step.Loss, step.GradNorm)));
        Assert.That(Bytes(halves), Is.EqualTo(Bytes(whole)));
    }

    [Test]
    public void Step_that_fails_leaves_no_gradient_behind()
    {
        using var trainer = Open();
        using var other = Open();
        var broken = Batch.Padded([new Example([0, 7, 2]) { Class = 7 }], filler: 1);   // there are two classes

        Assert.Throws<LortaException>(() => trainer.Step(Batches[0], broken));
        trainer.Step(Batches[1]);
        other.Step(Batches[1]);

        Assert.That(Bytes(trainer), Is.EqualTo(Bytes(other)));
    }

    [Test]
    public void Batches_are_enumerated_once_for_each_pass()
    {
        using var trainer = Open();
        var passes = 0;

        trainer.Fit(Counted(), Fit with { Steps = 8 });

        Assert.That(passes, Is.EqualTo(2));

        IEnumerable<Batch> Counted()
        {
            passes++;
            foreach (var batch in Batches) yield return batch;
        }
    }

    [Test]
    public void Batches_that_run_out_are_named()
    {
        using var trainer = Open();
        var queue = new Queue<Batch>(Batches);

        Assert.That(() => trainer.Fit(Taken(), Fit with { Steps = 8 }), Throws.ArgumentException.With.Message.Contains("enumerated again"));

        IEnumerable<Batch> Taken()
        {
            while (queue.TryDequeue(out var batch)) yield return batch;
        }
    }

    [Test]
    public void Evaluation_without_labels_is_refused()
    {
        using var trainer = Open();

        Assert.That(Assert.Throws<LortaException>(() => trainer.Evaluate([]))!.Code, Is.EqualTo("LRT603"));
    }

    [Test]
    public void Closed_trainer_refuses_to_work()
    {
        var trainer = Open();
        trainer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => trainer.Step(Batches[0]));
        Assert.DoesNotThrow(trainer.Dispose);
    }

    [Test]
    public async Task Batches_that_are_waited_for_give_the_same_bytes()
    {
        using var sync = Open();
        using var waited = Open();
        sync.Fit(Batches, Fit);

        await waited.FitAsync(Waited(Batches), Fit with { Steps = 8 });

        Assert.That(Bytes(waited), Is.EqualTo(Bytes(sync)));
    }

    [Test]
    public async Task Waiting_for_a_batch_can_be_cancelled()
    {
        using var trainer = Open();
        using var stop = new CancellationTokenSource();

        var report = await trainer.FitAsync(Endless(), Fit with { Steps = 8 }, new AfterStep(2, () => stop.CancelAfter(50)), stop.Token);

        Assert.That((report.Ending, report.Steps), Is.EqualTo((TrainingEnding.Stopped, 2L)));

        static async IAsyncEnumerable<Batch> Endless([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop = default)
        {
            yield return Batches[0];
            yield return Batches[1];
            yield return Batches[2];
            await Task.Delay(Timeout.Infinite, stop);
        }
    }

    [Test]
    public void Second_call_while_one_is_at_work_is_refused()
    {
        using var trainer = Open();
        Exception? failure = null;

        trainer.Fit(Batches, Fit with { Steps = 1 }, new AfterStep(1, () => failure = Assert.Catch(() => trainer.Evaluate(Batches))));

        Assert.That(failure, Is.InstanceOf<InvalidOperationException>().With.Message.Contains("one thread at a time"));
    }

    [Test]
    public void Rows_without_labels_are_predicted()
    {
        using var trainer = Open();
        var unlabelled = Batch.Padded([new Example([0, 7, 8, 2]), new Example([0, 50, 2])], filler: 1);

        var scores = trainer.Predict(unlabelled)["logits"];

        trainer.Step(Batches[0]);
        var later = trainer.Predict(unlabelled)["logits"];

        Assert.That(scores.Dims, Is.EqualTo(new[] { 2L, 2 }));
        Assert.That(later.ToFloats(), Is.All.Matches<float>(float.IsFinite));
        Assert.That(later.ToFloats(), Is.Not.EqualTo(scores.ToFloats()), "the adapter has learned in between");
    }

    [Test]
    public void Family_that_shares_out_ranks_needs_a_run()
    {
        using var trainer = Open(adapter: Allocated);

        Assert.Throws<InvalidOperationException>(() => trainer.Step(Batches[0]));
        Assert.That(trainer.Fit(Batches, Fit).Steps, Is.EqualTo(8));
    }

    [Test]
    public void All_options_that_do_not_fit_are_named()
    {
        using var trainer = Open();

        var failure = Assert.Throws<ArgumentException>(() => trainer.Fit(Batches, new FitOptions { Accumulation = 0, KeepBest = "f7" }))!;

        Assert.That(failure.Message, Does.Contain("FitOptions.accumulation: must be >= 1, was 0"));
        Assert.That(failure.Message, Does.Contain("FitOptions.keepBest: must be one of loss, accuracy"));
    }

    // 1,000 with LORTA_TRAINERS=1000
    [Test, Category("Slow"), Platform("Linux")]
    public void Engines_and_trainers_that_come_and_go_leave_nothing_behind()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("LORTA_TRAINERS") ?? "50", CultureInfo.InvariantCulture);
        for (var i = 0; i < 10; i++) TrainOnce();
        var (files, memory) = (OpenFiles(), Memory());

        for (var i = 0; i < count; i++) TrainOnce();

        Assert.That(OpenFiles(), Is.LessThanOrEqualTo(files + 2), "open files");
        Assert.That((Memory() - memory) / 1e6, Is.LessThan(50), "MB; the weights of one trainer take 5");

        static void TrainOnce()
        {
            using var engine = new OrtEngine(new() { Threads = 1 });
            using var trainer = Open(engine: engine);
            trainer.Step(Batches[0]);
            trainer.Evaluate([Batches[0]]);
        }

        static int OpenFiles() => Directory.GetFiles("/proc/self/fd").Length;

        static long Memory()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return Environment.WorkingSet;
        }
    }

    [Test]
    public void Adapter_is_stored_with_its_task_and_classes()
    {
        using var trainer = Open();

        trainer.ToAdapter().Save(_folder["adapter"]);

        var config = Adapter.Load(_folder["adapter"]).Config;
        Assert.That((config.Task, config.Labels, config.Trainables), Is.EqualTo(("classification", (string[])["low", "high"], (string[])["classifier.out_proj.weight"])));
    }

    private static async IAsyncEnumerable<Batch> Waited(IEnumerable<Batch> batches)
    {
        foreach (var batch in batches)
        {
            await Task.Yield();
            yield return batch;
        }
    }
}
