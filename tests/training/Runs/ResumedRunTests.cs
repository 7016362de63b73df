using System.Text.Json;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>Runs that were stopped or killed and go on, and what resuming refuses.</summary>
internal sealed class ResumedRunTests
{
    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

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
        Assert.That(_run.Adapter("run"), Is.EqualTo(TinyRun.Uninterrupted));
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

        Assert.That(_run.Adapter("run"), Is.EqualTo(TinyRun.Uninterrupted));
        Assert.That(Lines("metrics.jsonl").Count(line => line.GetProperty("kind").GetString() == "step"), Is.EqualTo(6));
    }

    [Test]
    public void A_run_that_was_killed_before_its_first_checkpoint_starts_again_from_its_own_recipe()
    {
        var request = _run.Request("run", "train.saveEvery=100");
        using var kill = Progress.KillAt(1);
        Assert.Throws<KilledException>(() => TinyRun.Train(request, kill));
        var recipe = File.ReadAllText(_run["run", "recipe.yaml"]);

        using var rest = Progress.None;
        TinyRun.Train(request with { RecipePath = _run["run", "recipe.yaml"], Resume = true }, rest);

        Assert.That(File.ReadAllText(_run["run", "recipe.yaml"]), Is.EqualTo(recipe));
        Assert.That(_run.Adapter("run"), Is.EqualTo(TinyRun.Uninterrupted));
        Assert.That(rest.Notes, Has.Some.Contains("holds no step to continue from; starts at step 1"));
    }

    [Test]
    public void Resuming_a_finished_run_tells_how_to_make_it_longer()
    {
        _run.Train("run", "train.steps=1");

        using var again = Progress.None;
        TinyRun.Train(_run.Request("run", "train.steps=1") with { Resume = true }, again);

        Assert.That(again.Notes, Has.Some.EqualTo("step 1 of 1 was the last; a larger train.steps or train.epochs makes the run longer"));
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
        Assert.That(_run.Adapter("run"), Is.EqualTo(TinyRun.Uninterrupted));
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

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run") with { Resume = true, Settings = new() { Threads = 2 } }, Progress.None))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT562", true)));
    }

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
