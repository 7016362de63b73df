using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>A loss that this project does not have: named in recipes and on the command line, trained, measured and described.</summary>
internal sealed class OwnLossTests
{
    private static readonly LortaCatalog Catalog = LortaCatalog.Default.With(Loss.Of("next-token", NextToken));
    private static readonly string Model = Path.Combine(Fixtures.Repository, "models", "llama-mini");
    private static readonly string Recipe = Path.Combine(Fixtures.Repository, "models", "recipes", "ship-log.yaml");

    private static readonly string[] Settings =
    [
        "--set", "train.steps=2", "--set", "train.schedule.warmupSteps=0", "--set", "train.evaluateEvery=never",
    ];

    private TestFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TestFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    // The same loss as causal-lm, written with one operator.
    [Test]
    public void It_is_trained_and_measured_as_a_recipe_names_it()
    {
        var own = Json(["train", Recipe, "-o", _folder["own"], "--set", "task=next-token", .. Settings]);
        var known = Json(["train", Recipe, "-o", _folder["known"], .. Settings]);
        var measured = Json(["evaluate", Recipe, "--adapter", _folder["own"], "--set", "task=next-token", .. Settings]);

        Assert.That(own["loss"]!.GetValue<double>(), Is.EqualTo(known["loss"]!.GetValue<double>()).Within(1e-4));
        Assert.That(measured["loss"]!.GetValue<double>(), Is.EqualTo(own["loss"]!.GetValue<double>()).Within(1e-6));
    }

    [Test]
    public void Its_gradients_are_checked()
    {
        var check = Json("gradcheck", Model, "--method", "lora", "--rank", "1", "--targets", "q", "--layers", "0", "--task", "next-token");

        Assert.That(check["verdict"]!.GetValue<string>(), Is.EqualTo("ok"));
    }

    [Test]
    public void It_is_in_the_schema_of_recipes() =>
        Assert.That(
            Json("schema", "recipe")["properties"]!["task"]!["enum"]!.AsArray().Select(name => name!.GetValue<string>()),
            Is.EqualTo(Catalog.Losses.Select(loss => loss.Name)));

    [Test]
    public void Without_it_the_recipe_is_refused()
    {
        var run = CommandLine.Run(["train", Recipe, "-o", _folder["run"], "--set", "task=next-token", .. Settings]);

        Assert.That(run.Error, Does.Contain("LRT550").And.Contain("must be one of causal-lm"));
    }

    // The mean over the labels of −log softmax(logits[:, t])[labels[:, t + 1]].
    private static LossValue NextToken(LossCall model)
    {
        var logits = model.Output(name: null, rank: 3);
        var labels = model.Labels(ElementType.Int64, [logits.Shape[0], logits.Shape[1]]);
        var (scores, next) = (logits.Slice(1, 0, -1).Rows(), labels.Slice(1, 1, long.MaxValue).Reshape(-1));
        return new(scores.Op("SoftmaxCrossEntropyLoss", [next], ("ignore_index", -100)), logits);
    }

    private static JsonNode Json(params string[] args)
    {
        var run = CommandLine.With(Catalog, [.. args, "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonNode.Parse(run.Output)!;
    }
}
