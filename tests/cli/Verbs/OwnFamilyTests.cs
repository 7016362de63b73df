using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>A family that this project does not have: named in recipes, counted, trained, checked, folded and measured by every verb.</summary>
internal sealed class OwnFamilyTests
{
    private static readonly LortaCatalog Catalog = LortaCatalog.Default.With(Gain.Entry);
    private static readonly string Model = Path.Combine(Fixtures.Repository, "models", "llama-mini");
    private static readonly string Recipe = Path.Combine(Fixtures.Repository, "models", "recipes", "ship-log.yaml");

    private static readonly string[] Settings =
    [
        "--set", "adapter.method=gain", "--set", "adapter.options.strength=2", "--set", "train.steps=2",
        "--set", "train.schedule.warmupSteps=0", "--set", "train.evaluateEvery=never",
    ];

    private TestFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TestFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void It_is_one_short_file() =>
        Assert.That(File.ReadLines(Path.Combine(Fixtures.Repository, "tests", "shared", "Gain.cs")).Count(), Is.LessThan(40));

    [Test]
    public void It_is_counted()
    {
        var rows = Json("methods", Model, "--targets", "q,v", "--rank", "4").AsArray();

        var row = rows.Single(entry => entry!["method"]!.GetValue<string>() == "gain")!;
        Assert.That(row["foldable"]!.GetValue<bool>(), Is.True);
        Assert.That(row["trainable"]!.GetValue<long>(), Is.GreaterThan(0));
    }

    [Test]
    public void It_is_trained_by_a_recipe_measured_from_its_folder_and_folded()
    {
        var trained = Json(["train", Recipe, "-o", _folder["run"], .. Settings]);
        var measured = Json(["evaluate", Recipe, "--adapter", Path.Combine(_folder["run"], "adapter"), .. Settings]);
        var exported = Json("export", Model, "--adapter", Path.Combine(_folder["run"], "adapter"), "-o", _folder["out"], "--verify", "--data", Recipe);

        Assert.That(measured["loss"]!.GetValue<double>(), Is.EqualTo(trained["loss"]!.GetValue<double>()).Within(1e-6));
        Assert.That(exported["ok"]!.GetValue<bool>(), Is.True);
        Assert.That(exported["loss"]!["exported"]!.GetValue<double>(), Is.EqualTo(measured["loss"]!.GetValue<double>()).Within(1e-4));
    }

    [Test]
    public void It_is_injected_and_generates()
    {
        var injected = Json("inject", Model, "-o", _folder["out.onnx"], "--method", "gain", "--rank", "1", "--targets", "q,v");
        var text = Json("generate", Model, "--adapter", _folder["out.adapter"], "--prompt", "2 March.", "--max-tokens", "2");

        Assert.That(injected["method"]!.GetValue<string>(), Is.EqualTo("gain"));
        Assert.That(text["tokens"]!.GetValue<int>(), Is.EqualTo(2));
    }

    [Test]
    public void Its_gradients_are_checked()
    {
        var check = Json("gradcheck", Model, "--method", "gain", "--rank", "1", "--targets", "q", "--layers", "0", "--task", "causal-lm");

        Assert.That(check["verdict"]!.GetValue<string>(), Is.EqualTo("ok"));
    }

    [Test]
    public void Its_training_graphs_are_written() =>
        Assert.That(Json("artifacts", Model, "-o", _folder["out"], "--method", "gain", "--rank", "1", "--targets", "q", "--task", "causal-lm")["trainable"]!
            .GetValue<long>(), Is.GreaterThan(0));

    [TestCase("evaluate {recipe} --adapter {adapter}")]
    [TestCase("export {model} --adapter {adapter} -o {out}")]
    [TestCase("export {model} --adapter {adapter} -o {out} --keep-base")]
    [TestCase("verify {model} {model} --adapter {adapter}")]
    [TestCase("generate {model} --adapter {adapter} --prompt And --max-tokens 1")]
    public void Adapter_without_a_trained_factor_is_refused_by_every_verb(string command)
    {
        Json("inject", Model, "-o", _folder["in.onnx"], "--method", "gain", "--rank", "1", "--targets", "q,v");
        var whole = Adapter.Load(_folder["in.adapter"]);
        (whole with { Tensors = whole.Tensors.Where(pair => pair.Key != "layers.1.v.g").ToDictionary() }).Save();

        var words = command.Replace("{recipe}", Recipe).Replace("{model}", Model).Replace("{adapter}", _folder["in.adapter"]).Replace("{out}", _folder["out.onnx"]);
        var run = CommandLine.With(Catalog, [.. words.Split(' ')]);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1, run.Error)));
        Assert.That(run.Error, Does.Contain("LRT309").And.Contain("layers.1.v.g"));
    }

    [Test]
    public void Without_it_the_recipe_is_refused()
    {
        var run = CommandLine.Run(["train", Recipe, "-o", _folder["run"], .. Settings]);

        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1, run.Error)).Or.EqualTo((2, run.Error)));
        Assert.That(run.Error, Does.Contain("'gain' is not supported yet"));
    }

    private static JsonNode Json(params string[] args)
    {
        var run = CommandLine.With(Catalog, [.. args, "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonNode.Parse(run.Output)!;
    }
}
