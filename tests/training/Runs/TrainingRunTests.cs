using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>Runs of a few steps from recipe to adapter.</summary>
internal sealed class TrainingRunTests
{
    private static readonly Lazy<(TinyRun Run, byte[] Adapter)> Whole = new(() =>
    {
        var run = new TinyRun();
        run.Train("whole");
        return (run, run.Adapter("whole"));
    });

    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [OneTimeTearDown]
    public void DeleteWhole()
    {
        if (Whole.IsValueCreated) Whole.Value.Run.Dispose();
    }

    [Test]
    public void Same_seed_gives_the_same_bytes()
    {
        _run.Train("again");

        Assert.That(_run.Adapter("again"), Is.EqualTo(Whole.Value.Adapter));
    }

    [Test]
    public void Another_seed_gives_other_bytes()
    {
        _run.Train("other", "seed=6");

        Assert.That(_run.Adapter("other"), Is.Not.EqualTo(Whole.Value.Adapter));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    public void Stopped_and_resumed_run_ends_in_the_same_bytes(int step)
    {
        using var stop = Progress.StopAfter(step);
        TinyRun.Train(_run.Request("run"), stop);
        Assert.That(stop.Steps[^1].Step, Is.EqualTo(step));

        using var rest = Progress.None;
        TinyRun.Train(_run.Request("run") with { Resume = true }, rest);

        Assert.That(rest.Steps.Select(record => record.Step), Is.EqualTo(Enumerable.Range(step + 1, 6 - step)));
        Assert.That(_run.Adapter("run"), Is.EqualTo(Whole.Value.Adapter));
    }

    [TestCase(1, 1)]
    [TestCase(3, 1)]
    [TestCase(5, 2)]
    [TestCase(6, 4)]
    public void Killed_and_resumed_run_ends_in_the_same_bytes(int step, int saveEvery)
    {
        var request = _run.Request("run", $"train.saveEvery={saveEvery}");
        using var kill = Progress.KillAt(step);
        Assert.Throws<KilledException>(() => TinyRun.Train(request, kill));
        Assert.That(Directory.Exists(_run["run", "adapter"]), Is.False);

        TinyRun.Train(request with { Resume = true }, Progress.None);

        Assert.That(_run.Adapter("run"), Is.EqualTo(Whole.Value.Adapter));
        Assert.That(Lines("metrics.jsonl").Count(line => line.GetProperty("kind").GetString() == "step"), Is.EqualTo(6));
    }

    [Test]
    public void Full_fine_tuning_that_was_killed_ends_in_the_same_bytes()
    {
        string[] settings = ["adapter.method=full", "adapter.targets=[\"*\"]", "adapter.layers=all", "adapter.dropout=0", "train.optimizer.lr=5e-4"];
        _run.Train("whole full", settings);
        using var kill = Progress.KillAt(3);
        Assert.Throws<KilledException>(() => TinyRun.Train(_run.Request("run", settings), kill));

        TinyRun.Train(_run.Request("run", settings) with { Resume = true }, Progress.None);

        Assert.That(_run.Adapter("run"), Is.EqualTo(_run.Adapter("whole full")));
    }

    [TestCase("full", "[\"*\"]", "merged --verify", "| trained parameters of the model | 1,000,")]
    [TestCase("prefix", "[k, v]", "adapted --keep-base --verify", "| parameters of the adapter | ")]
    public void The_card_of_an_adapter_tells_what_it_trains_and_how_it_is_exported(string method, string targets, string export, string row)
    {
        _run.Train("run", $"adapter.method={method}", $"adapter.targets={targets}", "adapter.layers=all", "adapter.dropout=0", "train.steps=1");

        var card = File.ReadAllText(_run["run", "adapter", "README.md"]);
        Assert.That(card, Does.Contain($"lorta export MODEL --adapter DIR -o {export}\n").And.Contain(row).And.Not.Contain("| 0 |"));
    }

    [Test]
    public void Before_the_first_step_a_run_says_what_it_is_about_to_do()
    {
        using var stop = Progress.StopAfter(1);

        TinyRun.Train(_run.Request("run"), stop);

        Assert.That(stop.Notes[0], Does.Match(@"^model: [\w-]+\.onnx for causal-lm, 1,000,604 parameters$"));
        Assert.That(stop.Notes[1], Does.StartWith("training data: log.txt: 32 entries").And.EndsWith("batches of 2, 2 for a step; 6 steps = 0.27 epochs"));
        Assert.That(stop.Notes[2], Does.StartWith("validation data: log.txt: 8 entries"));
        Assert.That(stop.Notes[3], Is.EqualTo("tokens in a row: median 24, 95th percentile 24, longest 24"));
        Assert.That(stop.Notes[4], Does.Match(@"^trained: \d+ of 1,000,604 parameters \(0\.\d+ %\); lorta, rank 2, alpha 8, on q v p, layers 0, ?2$"));
        Assert.That(stop.Notes[5], Does.Match(@"^memory: at least \d+ MB at the peak$"));
    }

    [Test]
    public void The_base_is_measured_before_the_first_step()
    {
        using var progress = Progress.None;

        var result = TinyRun.Train(_run.Request("run"), progress);

        Assert.That(progress.Evaluations.Select(evaluation => evaluation.Step), Is.EqualTo(new[] { 0, 2, 4, 6 }));
        Assert.That(result.BaseLoss, Is.EqualTo(progress.Evaluations[0].Loss));
    }

    [TestCase(0, 0, 1, true), TestCase(0.4, 0, 1, false)]
    [TestCase(0, 1, 1, false, TestName = "All rows have one label, and others may be predicted")]
    public void A_classifier_that_gives_every_row_one_class_is_named(double matthews, float first, float second, bool isNamed)
    {
        using var progress = Progress.None;
        var result = TinyRun.Train(_run.Request("run"), progress) with
        {
            Metrics = new Dictionary<string, double> { [ClassificationMetrics.MatthewsName] = matthews },
        };
        Sample[] validation = [new([5]) { Label = first }, new([6]) { Label = second }];

        var warnings = TrainingRun.Warnings(result, start: null, validation);

        Assert.That(warnings.Any(text => text.Contains("got the same class", StringComparison.Ordinal)), Is.EqualTo(isNamed));
    }

    [Test]
    public void A_run_that_made_the_model_worse_says_so()
    {
        using var progress = Progress.None;

        var result = TinyRun.Train(_run.Request("run"), progress);   // a learning rate that is far too high

        Assert.That(result.Loss, Is.GreaterThan(result.BaseLoss!.Value));
        Assert.That(progress.Notes[^1], Does.StartWith("Warning: The validation loss ").And.Contain("is above that before the first step"));
    }

    [Test]
    public void A_stopped_run_tells_where_it_stands_and_how_to_go_on()
    {
        using var stop = Progress.StopAfter(3);

        var result = TinyRun.Train(_run.Request("run"), stop);

        Assert.That(stop.Notes[^1], Does.Match(@"^Stopped at step 3 of 6 \(training loss [0-9.]+\)\. Continue with:\n  lorta train .*recipe\.yaml --resume --threads 1$"));
        Assert.That((result.Steps, result.PlannedSteps, result.LossStep), Is.EqualTo((3L, 6L, (long?)2)));
        Assert.That(File.ReadAllText(_run["run", "report.md"]), Does.Contain($"**{stop.Notes[^1].Replace("\n  ", "**\n\n```sh\n", StringComparison.Ordinal)}\n```\n"));
    }

    [Test]
    public void A_run_that_stops_early_tells_why()
    {
        using var progress = Progress.None;

        var result = TinyRun.Train(_run.Request("run", "train.earlyStop={metric: loss, patience: 1}", "train.optimizer.lr=1e-12"), progress);

        Assert.That(result.Steps, Is.LessThan(6));
        Assert.That(progress.Notes[^1], Does.StartWith($"Stopped early at step {result.Steps} of 6").And.EndsWith("loss has not improved in 1 evaluation."));
    }

    [Test]
    public void Prompts_are_continued_at_each_evaluation()
    {
        using var progress = Progress.None;

        TinyRun.Train(_run.Request("run", "train.samples=[The ship]", "train.steps=2"), progress);

        Assert.That(progress.Notes.Where(note => note.StartsWith("sample", StringComparison.Ordinal)),
            Has.Exactly(2).Items.And.All.Match(@"^sample after step [02]: The ship.+"));
    }

    [Test]
    public void Metrics_are_also_tracked_as_a_recipe_asks()
    {
        _run.Train("run", "tracking=[tensorboard, csv]", "train.steps=1");

        Assert.That(File.ReadLines(_run["run", "metrics.csv"]).Count(), Is.EqualTo(1 + 1 + 2));   // header, step, evaluations
        Assert.That(Directory.GetFiles(_run["run", "tensorboard"]), Has.Length.EqualTo(1));
    }

    [Test]
    public void Resuming_a_finished_run_changes_nothing()
    {
        _run.Train("run");
        var before = _run.Adapter("run");

        using var rest = Progress.None;
        TinyRun.Train(_run.Request("run") with { Resume = true }, rest);

        Assert.That(rest.Steps, Is.Empty);
        Assert.That(_run.Adapter("run"), Is.EqualTo(before));
    }

    [Test]
    public void Result_names_the_device_and_the_part_of_the_runtime_that_computed()
    {
        var result = _run.Train("run", "train.steps=1");

        Assert.That((result.Device, result.Provider), Is.EqualTo(("cpu", "CPUExecutionProvider")));
    }

    [Test]
    public void Finished_run_without_validation_data_has_its_loss_again_when_resumed()
    {
        string[] settings = ["data.validationFraction=null", "train.keepBest=null", "train.steps=1"];
        var first = _run.Train("run", settings);

        var again = TinyRun.Train(_run.Request("run", settings) with { Resume = true }, Progress.None);

        Assert.That(first.TrainingLoss, Is.GreaterThan(0));
        Assert.That((again.Loss, again.TrainingLoss), Is.EqualTo(((double?)null, first.TrainingLoss)));
    }

    [Test]
    public void Damaged_checkpoint_is_skipped_with_a_note_in_the_log()
    {
        using var stop = Progress.StopAfter(2);
        TinyRun.Train(_run.Request("run"), stop);
        Damage("step-00000002.safetensors");

        TinyRun.Train(_run.Request("run") with { Resume = true }, Progress.None);

        Assert.That(File.ReadAllText(_run["run", "log.txt"]), Does.Contain("Skipped: ").And.Contain("step-00000002.safetensors"));
        Assert.That(_run.Adapter("run"), Is.EqualTo(Whole.Value.Adapter));
    }

    [Test]
    public void Run_whose_checkpoints_are_all_damaged_is_refused_and_stays()
    {
        _run.Train("run", "train.steps=1");
        var before = _run.Adapter("run");
        Damage("step-00000001.safetensors");

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", "train.steps=1") with { Resume = true }, Progress.None))!;

        Assert.That(failure.Code, Is.EqualTo("LRT560"));
        Assert.That(_run.Adapter("run"), Is.EqualTo(before));
        Assert.That(Lines("metrics.jsonl"), Is.Not.Empty);
    }

    [TestCase("checkpoints")]
    [TestCase("checkpoints", "recipe.yaml", "metrics.jsonl", "report.md", "log.txt")]
    public void Resuming_never_replaces_what_holds_no_checkpoint(params string[] removed)
    {
        _run.Train("run", "train.steps=1");
        var before = _run.Adapter("run");
        foreach (var name in removed)
        {
            if (Directory.Exists(_run["run", name])) Directory.Delete(_run["run", name], recursive: true);
            else File.Delete(_run["run", name]);
        }

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", "train.steps=1") with { Resume = true }, Progress.None))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT563", true)));
        Assert.That(_run.Adapter("run"), Is.EqualTo(before));
    }

    [Test]
    public void Resuming_with_another_recipe_is_refused_with_the_keys_that_differ()
    {
        using var stop = Progress.StopAfter(2);
        TinyRun.Train(_run.Request("run"), stop);

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", "adapter.alpha=4") with { Resume = true }, Progress.None))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT561", true)));
        Assert.That(failure.Message, Does.Contain("adapter.alpha was 8, is 4"));
    }

    [Test]
    public void Refused_resumption_leaves_the_recipe_of_the_run_alone()
    {
        using var stop = Progress.StopAfter(2);
        TinyRun.Train(_run.Request("run"), stop);
        var before = File.ReadAllText(_run["run", "recipe.yaml"]);

        Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", "adapter.alpha=4") with { Resume = true }, Progress.None));

        Assert.That(File.ReadAllText(_run["run", "recipe.yaml"]), Is.EqualTo(before));
    }

    [Test]
    public void Resuming_with_another_number_of_threads_is_refused()
    {
        using var stop = Progress.StopAfter(2);
        TinyRun.Train(_run.Request("run"), stop);

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run") with { Resume = true, Settings = new(Threads: 2) }, Progress.None))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT562", true)));
    }

    [Test]
    public void Existing_run_is_refused_and_stays()
    {
        _run.Train("run", "train.steps=1");
        var before = _run.Adapter("run");

        var failure = Assert.Throws<LortaException>(() => _run.Train("run", "train.steps=1", "seed=9"))!;

        Assert.That(failure.Code, Is.EqualTo("LRT102"));
        Assert.That(_run.Adapter("run"), Is.EqualTo(before));
    }

    [Test]
    public void Forced_run_replaces_the_files_of_a_run_and_no_others()
    {
        _run.Train("run", "train.steps=1");
        File.WriteAllText(_run["run", "notes.txt"], "mine");
        var before = _run.Adapter("run");

        TinyRun.Train(_run.Request("run", "train.steps=2", "seed=9") with { Force = true }, Progress.None);

        Assert.That(_run.Adapter("run"), Is.Not.EqualTo(before));
        Assert.That(File.ReadAllText(_run["run", "notes.txt"]), Is.EqualTo("mine"));
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    public void A_second_process_is_refused_while_a_run_goes_on(bool force, bool resume)
    {
        LortaException? refused = null;
        using var during = Progress.After(1, () => refused = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", "seed=9") with { Force = force, Resume = resume }, Progress.None)));

        TinyRun.Train(_run.Request("run"), during);

        Assert.That(refused!.Code, Is.EqualTo("LRT625"));
        Assert.That(_run.Adapter("run"), Is.EqualTo(Whole.Value.Adapter));
    }

    [TestCase("adapter.alpha=1e30")]
    [TestCase("train.optimizer.lr=1e30")]
    public void Loss_that_is_no_number_ends_the_run_without_an_adapter(string setting)
    {
        var failure = Assert.Throws<LortaException>(() => _run.Train("run", setting, "adapter.options={zero: C_M}"))!;

        Assert.That(failure.Code, Is.EqualTo("LRT601").Or.EqualTo("LRT602"));
        Assert.That(failure.Message, Does.Match("^step \\d+: "));
        Assert.That(Directory.Exists(_run["run", "adapter"]), Is.False);
    }

    [Test]
    public void Run_folder_holds_what_the_contract_says()
    {
        var result = _run.Train("run");

        Assert.That(Directory.EnumerateFileSystemEntries(_run["run"]).Select(Path.GetFileName), Is.EquivalentTo(new[] { "adapter", "checkpoints", "log.txt", "metrics.jsonl", "recipe.yaml", "report.md" }));
        Assert.That((result.Steps, result.Trainable, result.Adapter), Is.EqualTo((6L, 2L * (128 + 32 + 4 + 2 + 3), _run["run", "adapter"])));
        Assert.That(Lines("metrics.jsonl").Where(line => line.GetProperty("kind").GetString() == "evaluation").Select(line => line.GetProperty("step").GetInt64()), Is.EqualTo(new[] { 0, 2, 4, 6 }));
    }

    [Test]
    public void Log_tells_what_the_data_lost_before_the_first_step()
    {
        var result = _run.Train("run", "train.steps=1", "train.keepBest=null");

        var lines = File.ReadAllLines(_run["run", "log.txt"]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines[1], Does.Contain("training data: log.txt: 32 entries, packed into rows of 24 tokens ("));
            Assert.That(lines[2], Does.Contain("validation data: log.txt: 8 entries, packed into rows of 24 tokens ("));
            Assert.That(result.Data.Rows, Is.EqualTo(32));
            Assert.That(result.Data.TokensCut, Is.InRange(0, 23));
        }
    }

    [Test]
    public void Saved_adapter_evaluates_to_the_loss_of_the_best_step()
    {
        using var progress = Progress.None;
        var request = _run.Request("run");
        TinyRun.Train(request, progress);

        var evaluation = TrainingRun.Evaluate(new EvaluationRequest { Recipe = request.Recipe, Adapter = _run["run", "adapter"], Settings = new(Threads: 1) });

        Assert.That(evaluation.Loss, Is.EqualTo(progress.Evaluations.Skip(1).Min(record => record.Loss)).Within(1e-6));
    }

    [Test]
    public void Adapter_of_other_weights_is_not_evaluated_unless_that_is_allowed()
    {
        var request = _run.Request("run", "train.steps=1");
        TinyRun.Train(request, Progress.None);
        var evaluation = new EvaluationRequest { Recipe = request.Recipe, Adapter = Trained(adapter => adapter with { Base = adapter.Base with { Sketch = Halved(adapter.Base.Sketch) } }), Settings = new(Threads: 1) };

        var failure = Assert.Throws<LortaException>(() => TrainingRun.Evaluate(evaluation))!;

        Assert.That(failure.Code, Is.EqualTo("LRT311"));
        Assert.That(() => TrainingRun.Evaluate(evaluation with { AllowOtherBase = true }), Throws.Nothing);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Adapter_of_another_architecture_is_never_evaluated(bool allow)
    {
        var request = _run.Request("run", "train.steps=1");
        TinyRun.Train(request, Progress.None);
        var adapter = Trained(config => config with { Layers = [0, 11], Base = config.Base with { Architecture = config.Base.Architecture! with { Layers = 12 } } });

        var failure = Assert.Throws<LortaException>(() => TrainingRun.Evaluate(new EvaluationRequest { Recipe = request.Recipe, Adapter = adapter, AllowOtherBase = allow, Settings = new(Threads: 1) }))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
    }

    [Test]
    public void Adapter_says_what_it_was_trained_for()
    {
        _run.Train("run", "train.steps=1");

        var config = Adapter.Load(_run["run", "adapter"]).Config;

        Assert.That((config.Task, config.Method, config.Scale, config.Base.Name), Is.EqualTo(("causal-lm", "lorta", 4.0, Path.GetFileName(_run.Request("x").Recipe.Model))));
        Assert.That(config.Layers, Is.EqualTo(new[] { 0, 2 }));
    }

    // The run's adapter with another configuration.
    private string Trained(Func<AdapterConfig, AdapterConfig> change)
    {
        var adapter = Adapter.Load(_run["run", "adapter"]);
        (adapter with { Path = _run["changed"], Config = change(adapter.Config) }).Save();
        return _run["changed"];
    }

    private static WeightSketch Halved(WeightSketch sketch) =>
        sketch with { Values = sketch.Values.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<float>)[.. pair.Value.Select(value => value / 2)]) };

    // The old file may still be mapped: it is replaced, not overwritten.
    private void Damage(string checkpoint)
    {
        var path = _run["run", "checkpoints", checkpoint];
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        File.WriteAllBytes(path, bytes[..^1]);
    }

    private List<JsonElement> Lines(string file) => [.. File.ReadLines(_run["run", file]).Select(line => JsonDocument.Parse(line).RootElement)];
}
