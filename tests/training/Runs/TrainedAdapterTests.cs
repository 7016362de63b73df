using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Stored;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>The adapter that a run leaves: what it says, and what it is evaluated with.</summary>
internal sealed class TrainedAdapterTests
{
    private TinyRun _run = null!;

    [SetUp]
    public void CreateRun() => _run = new();

    [TearDown]
    public void DeleteRun() => _run.Dispose();

    [TestCase("full", "[\"*\"]", "merged --verify", "| trained parameters of the model | 1,000,")]
    [TestCase("prefix", "[k, v]", "adapted --keep-base --verify", "| parameters of the adapter | ")]
    public void The_card_of_an_adapter_tells_what_it_trains_and_how_it_is_exported(string method, string targets, string export, string row)
    {
        _run.Train("run", $"adapter.method={method}", $"adapter.targets={targets}", "adapter.layers=all", "adapter.dropout=0", "train.steps=1");

        var card = File.ReadAllText(_run["run", "adapter", "README.md"]);
        Assert.That(card, Does.Contain($"lorta export MODEL --adapter DIR -o {export}\n").And.Contain(row).And.Not.Contain("| 0 |"));
    }

    [Test]
    public void Saved_adapter_evaluates_to_the_loss_of_the_best_step()
    {
        using var progress = Progress.None;
        var request = _run.Request("run");
        TinyRun.Train(request, progress);

        var evaluation = request.Evaluate(new() { Adapter = _run["run", "adapter"] });

        Assert.That(evaluation.Loss, Is.EqualTo(progress.Evaluations.Skip(1).Min(record => record.Loss)).Within(1e-6));
    }

    [Test]
    public void Adapter_of_other_weights_is_not_evaluated_unless_that_is_allowed()
    {
        var request = _run.Request("run", "train.steps=1");
        TinyRun.Train(request, Progress.None);
        var evaluation = new EvaluationOptions { Adapter = Trained(adapter => adapter with { Base = adapter.Base with { Sketch = Halved(adapter.Base.Sketch) } }) };

        var failure = Assert.Throws<LortaException>(() => request.Evaluate(evaluation))!;

        Assert.That(failure.Code, Is.EqualTo("LRT311"));
        Assert.That(() => request.Evaluate(evaluation with { AllowOtherBase = true }), Throws.Nothing);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Adapter_of_another_architecture_is_never_evaluated(bool allow)
    {
        var request = _run.Request("run", "train.steps=1");
        TinyRun.Train(request, Progress.None);
        var adapter = Trained(config => config with { Layers = [0, 11], Base = config.Base with { Architecture = config.Base.Architecture! with { Layers = 12 } } });

        var failure = Assert.Throws<LortaException>(() => request.Evaluate(new() { Adapter = adapter, AllowOtherBase = allow }))!;

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
}
