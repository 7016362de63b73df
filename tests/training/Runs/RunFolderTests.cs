using System.Diagnostics;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>What a run may replace in its folder, and what it never touches.</summary>
internal sealed class RunFolderTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void MakeRun()
    {
        _folder = new();
        foreach (var name in new[] { "run/adapter", "run/checkpoints" }) Directory.CreateDirectory(_folder[name]);
        foreach (var name in Written) _folder.Write($"run/{name}", "a run's");
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    private static readonly string[] Written =
    [
        "recipe.yaml", "metrics.jsonl", "report.md", "log.txt", "adapter/adapter_config.json", "adapter/adapter_model.safetensors", "checkpoints/step-00000003.safetensors",
    ];

    private RunFolder Run => new(_folder["run"]);

    [Test]
    public void A_forced_run_clears_what_runs_write_and_what_killed_ones_left_and_no_more()
    {
        foreach (var name in new[] { "notes.txt", "adapter.zip", "lorta-0123456789abcdef.tmp", "checkpoints/lorta-0123456789abcdef.tmp" }) _folder.Write($"run/{name}", "x");

        Run.Check(resume: false, force: true, []);
        Run.Begin();

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "run", "run/adapter.zip", "run/checkpoints", "run/notes.txt" }));
    }

    [Test]
    public void The_recipe_that_a_run_starts_from_stays()
    {
        Run.Begin(_folder["run", "recipe.yaml"]);

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "run", "run/checkpoints", "run/recipe.yaml" }));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void The_recipe_of_a_run_tells_how_to_continue_and_how_to_replace_it(bool force)
    {
        var failure = Assert.Throws<LortaException>(() => Run.Check(resume: false, force, [_folder["run", "recipe.yaml"]]))!;

        Assert.That(failure.Message, Does.StartWith(_folder["run", "recipe.yaml"]));
        Assert.That(failure.Hint, Does.Contain("--resume").And.Contain("-o").And.Contain("--force"));
    }

    [TestCase("adapter/base.onnx", ExpectedResult = "LRT107")]
    [TestCase("checkpoints/data.tsv", ExpectedResult = "LRT107")]
    [TestCase("checkpoints/step-3.safetensors", ExpectedResult = "LRT107")]
    [TestCase("notes.txt", ExpectedResult = null)]
    public string? Other_files_in_the_places_of_a_run_stop_it(string name)
    {
        _folder.Write($"run/{name}", "mine");

        return Refusal(force: true);
    }

    [Test]
    public void No_input_is_written_over([ValueSource(nameof(Written))] string name, [Values] bool isLinked)
    {
        if (isLinked) File.CreateSymbolicLink(_folder["input"], _folder["run", name]);
        var input = isLinked ? _folder["input"] : _folder["run", name];

        Assert.That(Refusal(force: true, input), Is.EqualTo(name == "recipe.yaml" ? "LRT565" : "LRT701"));
    }

    [Test]
    public void A_run_may_be_resumed_by_its_own_recipe_but_not_started_anew_by_it()
    {
        Assert.That(Refusal(force: false, _folder["run", "recipe.yaml"]), Is.Null);
        Assert.That(Refusal(force: true, _folder["run", "recipe.yaml"]), Is.EqualTo("LRT565"));
    }

    [Test]
    public void Folders_links_and_pipes_in_the_places_of_files_stop_it()
    {
        File.Delete(_folder["run", "log.txt"]);
        Directory.CreateDirectory(_folder["run", "log.txt"]);
        Assert.That(Refusal(force: true), Is.EqualTo("LRT123"));
        Directory.Delete(_folder["run", "log.txt"]);
        File.CreateSymbolicLink(_folder["run", "log.txt"], _folder.Write("mine", "mine"));
        Assert.That(Refusal(force: true), Is.EqualTo("LRT123"));
        if (!OperatingSystem.IsLinux()) return;
        File.Delete(_folder["run", "log.txt"]);
        using (var process = Process.Start("mkfifo", _folder["run", "log.txt"])) process.WaitForExit();
        Assert.That(Refusal(force: true), Is.EqualTo("LRT123"));
    }

    [Test]
    public void A_run_folder_behind_a_link_is_one_and_a_file_is_none()
    {
        Directory.CreateSymbolicLink(_folder["link"], "run");
        Assert.That(() => new RunFolder(_folder["link"]).Check(resume: false, force: true, []), Throws.Nothing);

        Assert.That(() => new RunFolder(_folder.Write("file", "mine")).Check(resume: false, force: true, []), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT123"));
    }

    [Test]
    public void What_only_a_lock_was_left_in_is_empty()
    {
        Directory.CreateDirectory(_folder["killed"]);
        _folder.Write("killed/run.lock", "process 1");
        _folder.Write("killed/lorta-0123456789abcdef.tmp", "half");

        Assert.That(() => new RunFolder(_folder["killed"]).Check(resume: false, force: false, []), Throws.Nothing);
    }

    private string? Refusal(bool force, params string[] inputs)
    {
        var before = _folder.Entries;
        try
        {
            Run.Check(resume: !force, force, inputs);
            return null;
        }
        catch (LortaException e)
        {
            Assert.That(_folder.Entries, Is.EqualTo(before));
            return e.Code;
        }
    }
}
