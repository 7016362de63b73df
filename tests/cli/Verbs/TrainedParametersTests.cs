using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>BitFit and full fine-tuning by the verbs: trained, measured, folded; what no side branch carries is refused.</summary>
internal sealed class TrainedParametersTests
{
    private static readonly string Model = Path.Combine(Fixtures.Repository, "models", "roberta-mini");
    private static readonly string Recipe = Path.Combine(Fixtures.Repository, "models", "recipes", "reviews.yaml");

    private static readonly string[] Settings = ["--set", "adapter.method=bitfit", "--set", "adapter.targets=[\"*.bias\"]", "--set", "train.epochs=1"];

    private TestFolder _folder = null!;

    private string AdapterFolder => Path.Combine(_folder["run"], "adapter");

    [OneTimeSetUp]
    public void Train()
    {
        _folder = new TestFolder();
        Json(["train", Recipe, "-o", _folder["run"], .. Settings]);
    }

    [OneTimeTearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public void A_run_is_measured_and_folded()
    {
        var measured = Json(["evaluate", Recipe, "--adapter", AdapterFolder]);
        var exported = Json("export", Model, "--adapter", AdapterFolder, "-o", _folder["folded"], "--verify", "--data", Recipe);

        Assert.That(exported["ok"]!.GetValue<bool>(), Is.True);
        Assert.That(exported["loss"]!["exported"]!.GetValue<double>(), Is.EqualTo(measured["loss"]!.GetValue<double>()).Within(1e-4));
    }

    [Test]
    public void The_adapter_is_its_parameters()
    {
        var adapter = Adapter.Load(AdapterFolder);

        Assert.That(adapter.Tensors.Keys.Where(key => !key.StartsWith("param.", StringComparison.Ordinal)), Is.Empty);
        Assert.That(adapter.Config.Trainables, Does.Contain("roberta.embeddings.LayerNorm.bias").And.Contain("classifier.dense.weight"));
        Assert.That((adapter.Config.Rank, adapter.Config.Alpha), Is.EqualTo(((int?)null, (double?)null)));
    }

    [TestCase("export {model} --adapter {adapter} -o {out} --keep-base", "LRT322")]
    [TestCase("inject {model} --method bitfit -o {out}", "LRT322")]
    [TestCase("inject {model} --method full -o {out}", "LRT322")]
    [TestCase("methods --width 64 --heads 4 --layers 2 --targets *.bias", "LRT304")]
    public void What_no_side_branch_carries_is_refused(string command, string code)
    {
        var run = CommandLine.Run([.. command.Split(' ').Select(word => word.Replace("{model}", Model).Replace("{adapter}", AdapterFolder).Replace("{out}", _folder["out.onnx"]))]);

        Assert.That((run.ExitCode, run.Error), Is.Not.EqualTo((0, run.Error)));
        Assert.That(run.Error, Does.Contain(code));
        Assert.That(File.Exists(_folder["out.onnx"]), Is.False);
    }

    [TestCase("evaluate {recipe} --adapter {adapter}")]
    [TestCase("export {model} --adapter {adapter} -o {out}")]
    [TestCase("verify {model} {model} --adapter {adapter}")]
    public void Adapter_without_a_parameter_that_it_names_is_refused(string command)
    {
        var whole = Adapter.Load(AdapterFolder);
        (whole with { Path = _folder["damaged"], Tensors = whole.Tensors.Where(pair => pair.Key != "param.classifier.dense.bias").ToDictionary() }).Save();

        var run = CommandLine.Run([.. command.Split(' ').Select(word => word.Replace("{model}", Model).Replace("{recipe}", Recipe).Replace("{adapter}", _folder["damaged"]).Replace("{out}", _folder["out.onnx"]))]);

        Assert.That(run.Error, Does.Contain("LRT309").And.Contain("classifier.dense.bias"));
    }

    [Test]
    public void A_model_counts_its_parameters()
    {
        var rows = Json("methods", Model, "--targets", "q,v", "--rank", "4").AsArray();

        Assert.That(rows.Single(row => row!["method"]!.GetValue<string>() == "bitfit")!["trainable"]!.GetValue<long>(), Is.EqualTo(5890));
    }

    private static JsonNode Json(params string[] args)
    {
        var run = CommandLine.Run([.. args, "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonNode.Parse(run.Output)!;
    }
}
