using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Recipes.Files;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>Runs that start at an existing adapter, and runs that are made longer.</summary>
internal sealed class ContinuedRunTests
{
    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [Test]
    public void A_run_starts_at_the_adapter_that_it_continues_from()
    {
        _run.Train("first");
        using var progress = Progress.None;

        TinyRun.Train(_run.Request("second", $"adapter.from={_run["first"]}", "train.evaluateEvery=1", "train.optimizer.lr=1e-12", "adapter.dropout=0"), progress);

        var measured = _run.Request("x").Evaluate(new() { Adapter = _run["first"] });
        Assert.That(progress.Evaluations[0].Loss, Is.EqualTo(measured.Loss).Within(1e-5));
    }

    [Test]
    public void Method_size_and_places_are_those_of_the_adapter()
    {
        _run.Train("first");

        _run.Train("second", $"adapter.from={_run["first", "adapter"]}", "adapter.rank=8", "adapter.alpha=16", "adapter.layers=all");

        var (first, second) = (Adapter.Load(_run["first", "adapter"]).Config, Adapter.Load(_run["second", "adapter"]).Config);
        Assert.That((second.Rank, second.Alpha, second.Scale), Is.EqualTo((first.Rank, first.Alpha, first.Scale)));
        Assert.That(second.Layers, Is.EqualTo(first.Layers));
        Assert.That(RecipeFile.Load(_run["second", "recipe.yaml"], LortaCatalog.Default).Adapter.Rank, Is.EqualTo(2));
    }

    [Test]
    public void Parameters_that_were_trained_alongside_go_on_training()
    {
        const string trainables = "trainables=[{\"match\": \"model.norm.*\"}]";
        _run.Train("first", trainables);

        _run.Train("second", $"adapter.from={_run["first"]}");

        Assert.That(Adapter.Load(_run["second", "adapter"]).Config.Trainables, Is.EqualTo(Adapter.Load(_run["first", "adapter"]).Config.Trainables).And.Not.Empty);
    }

    [TestCase("adapter.rank=4", "adapter.rank: must be 2, as in the adapter, was 4")]
    [TestCase("adapter.method=lora", "adapter.method: must be lorta, as in the adapter, was lora")]
    [TestCase("adapter.targets=[q]", "adapter.targets: must be q, v, p, as in the adapter, was q")]
    [TestCase("adapter.layers=[1]", "adapter.layers: must be 0,2, as in the adapter, was 1")]
    public void Another_adapter_than_the_one_that_is_continued_is_refused(string setting, string problem)
    {
        _run.Train("first");

        var failure = Assert.Throws<LortaException>(() => _run.Train("second", $"adapter.from={_run["first"]}", setting))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT550", true)));
        Assert.That(failure.Message, Does.Contain(problem));
    }

    [Test]
    public void Its_own_sites_are_those_of_the_adapter()
    {
        _run.Train("first", "adapter.sites=[{\"match\": \"layers.0.q\", \"rank\": 1}]", "adapter.method=lora");
        string[] settings = [$"adapter.from={_run["first"]}", "adapter.method=lora"];

        var failure = Assert.Throws<LortaException>(() => _run.Train("second", [.. settings, "adapter.sites=[{\"match\": \"layers.0.q\", \"rank\": 2}]"]))!;

        Assert.That(failure.Message, Does.Contain("adapter.sites: must be those of the adapter (layers.0.q, rank 1), was layers.0.q, rank 2"));
        Assert.DoesNotThrow(() => _run.Train("third", [.. settings, "adapter.sites=[{\"match\": \"layers.0.q\", \"rank\": 1}]"]));
    }

    [Test]
    public void What_is_refused_is_a_key_of_the_recipe()
    {
        _run.Train("first");
        var request = _run.Request("second", $"adapter.from={_run["first"]}", "adapter.rank=4") with { RecipePath = _run["recipe.yaml"] };

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(request, Progress.None))!;

        Assert.That(failure.Message, Does.StartWith($"{_run["recipe.yaml"]}: adapter.rank:"));
    }

    [TestCase("false", null)]
    [TestCase("true", "adapter.options.rslora: must be false, as in the adapter, was true")]
    public void An_option_at_its_default_counts_as_left_out(string value, string? problem)
    {
        _run.Train("first", "adapter.method=lora");

        void Continue() => _run.Train("second", $"adapter.from={_run["first"]}", "adapter.method=lora", $"adapter.options.rslora={value}");

        if (problem is null) Assert.DoesNotThrow(Continue);
        else Assert.That(Assert.Throws<LortaException>(Continue)!.Message, Does.Contain(problem));
    }

    [Test]
    public void Its_first_loss_is_that_of_the_adapter_and_not_of_the_base()
    {
        _run.Train("first");

        using var progress = Progress.None;
        var result = TinyRun.Train(_run.Request("second", $"adapter.from={_run["first"]}"), progress);

        Assert.That((result.BaseLoss, result.StartLoss), Is.EqualTo(((double?)null, progress.Evaluations[0].Loss)));
        Assert.That(File.ReadAllText(_run["second", "report.md"]), Does.Contain("| loss of the adapter that it continues from |"));
    }

    [Test]
    public void A_checkpoint_of_a_killed_run_has_the_frozen_factors_of_the_adapter_that_it_continued()
    {
        string[] settings = ["adapter.method=vera", "adapter.dropout=0", "train.optimizer.lr=1e-3"];
        _run.Train("first", settings);
        string[] more = [.. settings, $"adapter.from={_run["first"]}", "seed=77"];
        _run.Train("whole", more);
        using var kill = Progress.KillAt(6);
        Assert.Throws<KilledException>(() => TinyRun.Train(_run.Request("second", more), kill));

        var (killed, whole) = (StoredAdapters.Load(_run["second"], LortaCatalog.Default), StoredAdapters.Load(_run["whole", "checkpoints", "step-00000005.safetensors"], LortaCatalog.Default));

        Assert.That(killed.Config.Frozen, Is.EqualTo(whole.Config.Frozen));
        Assert.That(killed.Tensors.Keys, Is.EquivalentTo(whole.Tensors.Keys));
        foreach (var (name, tensor) in whole.Tensors) Assert.That(killed.Tensors[name].Bytes.SequenceEqual(tensor.Bytes), name);
    }

    [TestCase("lorta", true), TestCase("vera", false)]
    public void A_checkpoint_of_a_killed_run_reads_the_adapter_that_it_continued_for_frozen_factors_alone(string method, bool isReadWithout)
    {
        string[] settings = [$"adapter.method={method}", "adapter.dropout=0", "train.optimizer.lr=1e-3"];
        _run.Train("first", settings);
        using var kill = Progress.KillAt(6);
        Assert.Throws<KilledException>(() => TinyRun.Train(_run.Request("second", [.. settings, $"adapter.from={_run["first"]}"]), kill));

        Assert.That(StoredAdapters.FilesOf(_run["second"], LortaCatalog.Default), Does.Contain(_run["first", "adapter", "adapter_model.safetensors"]));
        Directory.Delete(_run["first"], recursive: true);

        void Load() => StoredAdapters.Load(_run["second"], LortaCatalog.Default);
        if (isReadWithout) Assert.DoesNotThrow(Load);
        else Assert.Throws<LortaException>(Load);
    }

    [Test]
    public void A_stopped_run_that_continues_an_adapter_resumes_to_the_same_bytes()
    {
        _run.Train("first");
        _run.Train("whole", $"adapter.from={_run["first"]}");
        using var stop = Progress.StopAfter(3);
        TinyRun.Train(_run.Request("second", $"adapter.from={_run["first"]}"), stop);

        TinyRun.Train(_run.Request("second", $"adapter.from={_run["first"]}") with { Resume = true }, Progress.None);

        Assert.That(_run.Adapter("second"), Is.EqualTo(_run.Adapter("whole")).And.Not.EqualTo(_run.Adapter("first")));
    }

    [Test]
    public void A_finished_run_is_made_longer_and_says_what_that_means()
    {
        _run.Train("run");
        using var rest = Progress.None;

        var result = TinyRun.Train(_run.Request("run", "train.steps=9") with { Resume = true }, rest);

        Assert.That(rest.Steps.Select(step => step.Step), Is.EqualTo(new[] { 7, 8, 9 }));
        Assert.That((result.Steps, result.ExtendedAt), Is.EqualTo((9, 6)));
        const string said = "Extended after step 6: the schedule changed there, so the bytes differ from those of one uninterrupted run.";
        Assert.That(File.ReadAllText(_run["run", "report.md"]), Does.Contain(said));
        Assert.That(File.ReadAllText(_run["run", "log.txt"]), Does.Contain(said));
        Assert.That(RecipeFile.Load(_run["run", "recipe.yaml"], LortaCatalog.Default).Train.Steps, Is.EqualTo(9));
    }

    [Test]
    public void A_longer_run_that_is_stopped_and_resumed_still_says_so()
    {
        _run.Train("run");
        using var stop = Progress.StopAfter(8);
        TinyRun.Train(_run.Request("run", "train.steps=9") with { Resume = true }, stop);

        var result = TinyRun.Train(_run.Request("run", "train.steps=9") with { Resume = true }, Progress.None);

        Assert.That((result.Steps, result.ExtendedAt), Is.EqualTo((9, 6)));
    }

    [TestCase("train.steps=5")]
    [TestCase("train.steps=9", "train.optimizer.lr=1e-3")]
    public void Only_a_longer_run_of_the_same_recipe_is_accepted(params string[] settings)
    {
        _run.Train("run");

        var failure = Assert.Throws<LortaException>(() => TinyRun.Train(_run.Request("run", settings) with { Resume = true }, Progress.None))!;

        Assert.That(failure.Code, Is.EqualTo("LRT561"));
    }

    [Test]
    public void An_ordinary_resume_does_not_speak_of_it()
    {
        using var stop = Progress.StopAfter(3);
        TinyRun.Train(_run.Request("run"), stop);

        var result = TinyRun.Train(_run.Request("run") with { Resume = true }, Progress.None);

        Assert.That(result.ExtendedAt, Is.Null);
        Assert.That(File.ReadAllText(_run["run", "report.md"]), Does.Not.Contain("Extended"));
    }
}
