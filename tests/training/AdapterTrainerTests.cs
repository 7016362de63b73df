using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Training.Tests;

internal sealed class AdapterTrainerTests
{
    private static readonly OrtEngine Engine = new(new OrtEngineOptions { Threads = 1 });

    // Tokens of two classes: those of the second have larger ids.
    private static readonly Batch[] Batches =
    [
        .. from batch in Enumerable.Range(0, 4)
           select Batch.Padded([.. from row in Enumerable.Range(0, 4)
                                   let name = row % 2
                                   select new Example([0, .. Enumerable.Range(5 + (40 * name) + batch, 4 + row), 2]) { Class = name }], filler: 1),
    ];

    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Data_of_a_recipe_go_on_in_the_epoch_where_a_run_was_stopped()
    {
        using var run = new TinyRun();
        run.Train("run", "train.epochs=3");
        var recipe = run.Request("run", "train.epochs=3").Recipe;
        var model = OnnxModel.Load(recipe.Model);
        var options = recipe.Train.ToFit(() => RecipeData.Of(recipe, model).Validation!);
        using var stop = Progress.StopAfter(4);
        using var trainer = new AdapterTrainer(Engine, model, recipe.ToTrainingOptions());

        var stopped = trainer.Fit(RecipeData.Of(recipe, model).Train, options, stop, stop.Stop);
        trainer.Fit(RecipeData.Of(recipe, model).Train, options);
        trainer.ToAdapter().Save(_folder["adapter"]);

        Assert.That(stopped.Ending, Is.EqualTo(TrainingEnding.Stopped));
        Assert.That(File.ReadAllBytes(_folder["adapter", "adapter_model.safetensors"]), Is.EqualTo(run.Adapter("run")));
    }

    [TestCase("train.steps=6")]
    [TestCase("train.epochs=3")]
    public void Same_batches_and_seed_give_the_bytes_of_lorta_train(string length)
    {
        using var run = new TinyRun();
        run.Train("run", length);
        var recipe = run.Request("run", length).Recipe;
        var model = OnnxModel.Load(recipe.Model);
        var data = RecipeData.Of(recipe, model);
        using var trainer = new AdapterTrainer(Engine, model, recipe.ToTrainingOptions());

        trainer.Fit(data.Train, recipe.Train.ToFit(() => data.Validation!));
        trainer.ToAdapter().Save(_folder["adapter"]);

        Assert.That(File.ReadAllBytes(_folder["adapter", "adapter_model.safetensors"]), Is.EqualTo(run.Adapter("run")));
    }

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

    private static AdapterOptions Allocated => new()
    {
        Method = "adalora",
        Rank = 2,
        Options = new Dictionary<string, string> { ["target"] = "1", ["tinit"] = "1", ["tfinal"] = "1", ["deltaT"] = "2" },
    };

    private static readonly FitOptions Fit = new() { Epochs = 2, Schedule = Schedule.Linear() };

    private static AdapterTrainer Open(double learningRate = 1e-2, AdapterOptions? adapter = null, OrtEngine? engine = null) => new(engine ?? Engine, OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "roberta-mini")), new TrainingOptions
    {
        Adapter = adapter ?? new() { Method = "lorta", Rank = 2, Alpha = 4, Targets = ["q", "v"] },
        Task = "classification",
        Trainables = [new TrainablePattern { Match = "classifier.out_proj.weight" }],
        Optimizer = new() { LearningRate = learningRate },
        Labels = ["low", "high"],
        Seed = 3,
    });

    private static async IAsyncEnumerable<Batch> Waited(IEnumerable<Batch> batches)
    {
        foreach (var batch in batches)
        {
            await Task.Yield();
            yield return batch;
        }
    }

    private static byte[] Bytes(AdapterTrainer trainer) =>
        [.. trainer.ToAdapter().Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).SelectMany(tensor => tensor.Value.Bytes.ToArray())];

    private sealed class AfterStep(long step, Action act) : IProgress<TrainingEvent>
    {
        public void Report(TrainingEvent value)
        {
            if (value is StepEvent finished && finished.Step == step) act();
        }
    }

    // Each pass in an order of its own, as a recipe has it.
}
