using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>Runs of a few steps from recipe to adapter: what they compute, say and write.</summary>
internal sealed class TrainingRunTests
{
    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [Test]
    public void Same_seed_gives_the_same_bytes()
    {
        _run.Train("again");

        Assert.That(_run.Adapter("again"), Is.EqualTo(TinyRun.Uninterrupted));
    }

    [Test]
    public void Another_seed_gives_other_bytes()
    {
        _run.Train("other", "seed=6");

        Assert.That(_run.Adapter("other"), Is.Not.EqualTo(TinyRun.Uninterrupted));
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
        Assert.That(stop.Notes[5], Does.Match(@"^memory: at least [\d,]+ MB at the peak$"));
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
    public void Result_names_the_device_and_the_part_of_the_runtime_that_computed()
    {
        var result = _run.Train("run", "train.steps=1");

        Assert.That((result.Device, result.Provider), Is.EqualTo(("cpu", "CPUExecutionProvider")));
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
            Assert.That(result.Data!.Rows, Is.EqualTo(32));
            Assert.That(result.Data.TokensCut, Is.InRange(0, 23));
        }
    }

    private List<JsonElement> Lines(string file) => [.. File.ReadLines(_run["run", file]).Select(line => JsonDocument.Parse(line).RootElement)];
}
