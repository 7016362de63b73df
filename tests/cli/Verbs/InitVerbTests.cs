using System.Text.Json.Nodes;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>First recipes, trained with nothing but their data filled in.</summary>
internal sealed class InitVerbTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void A_classifier_trains_from_its_first_recipe()
    {
        var rows = File.ReadLines(Path.Combine(Fixtures.Repository, "models", "data", "reviews.tsv")).Take(33);
        File.WriteAllLines(_folder["reviews.tsv"], rows);

        var result = Trained("roberta-mini", "classification", ("train.tsv", "reviews.tsv"), ("text: text", "text: sentence"));

        Assert.That(result["metrics"]!.AsObject().Select(metric => metric.Key), Has.Member("accuracy"));
        Assert.That(File.ReadAllText(_folder["recipe.yaml"]), Does.Contain("classifier.*"), "its head is trained");
    }

    [Test]
    public void A_decoder_trains_from_its_first_recipe()
    {
        var entries = File.ReadAllText(Path.Combine(Fixtures.Repository, "models", "data", "ship-log.txt")).Split("\n\n").Take(60);
        _folder.Write("log.txt", string.Join("\n\n", entries));

        var result = Trained("llama-mini", "causal-lm", ("train.txt", "log.txt"));

        Assert.That(result["loss"]!.GetValue<double>(), Is.LessThan(6));
    }

    [Test]
    public void A_token_classifier_trains_from_its_first_recipe()
    {
        var rows = File.ReadLines(Fixtures.Path("data", "real", "protein-ss3", "train.tsv")).Take(25);
        File.WriteAllLines(_folder["ss3.tsv"], rows);
        var model = Directory.CreateDirectory(_folder["model"]).FullName;
        File.Copy(Exports.Path("esm-mini/tokencls.ts-sdpa"), Path.Combine(model, "model.onnx"));
        foreach (var name in new[] { "vocab.txt", "special_tokens_map.json", "tokenizer_config.json" })
            File.Copy(Fixtures.Path("models", "esm-mini", name), Path.Combine(model, name));

        var result = Trained(model, "token-classification", ("train.tsv", "ss3.tsv"), ("text: text", "text: sequence"),
            ("label: label", "label: labels"), ("# labels: [negative, positive]", "labels: [C, E, H]"));

        Assert.That(result["metrics"]!["tokenAccuracy"]!.GetValue<double>(), Is.GreaterThan(0));
    }

    [Test]
    public void The_model_is_found_from_the_folder_of_the_recipe()
    {
        Directory.CreateDirectory(_folder["recipes"]);
        var model = Path.Combine(Fixtures.Repository, "models", "llama-mini");

        var run = CommandLine.Run("init", model, "-o", _folder["recipes", "first.yaml"], "--json");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var json = JsonNode.Parse(run.Output)!;
        Assert.That((json["recipe"]!.GetValue<string>(), json["task"]!.GetValue<string>()), Is.EqualTo((_folder["recipes", "first.yaml"], "causal-lm")));
        var line = File.ReadLines(_folder["recipes", "first.yaml"]).Single(line => line.StartsWith("model: ", StringComparison.Ordinal));
        Assert.That(Path.GetFullPath(line["model: ".Length..].Trim('"'), _folder["recipes"]), Is.EqualTo(model));
    }

    [Test]
    public void Lines_fit_a_terminal_of_120_columns()
    {
        CommandLine.Run("init", Path.Combine(Fixtures.Repository, "models", "roberta-mini"), "-o", _folder["recipe.yaml"]);

        Assert.That(File.ReadLines(_folder["recipe.yaml"]), Is.Not.Empty.And.All.Length.LessThanOrEqualTo(120));
    }

    [Test]
    public void A_task_that_the_outputs_are_not_for_is_refused()
    {
        var run = CommandLine.Run("init", Path.Combine(Fixtures.Repository, "models", "llama-mini"), "--task", "classification", "-o", _folder["r.yaml"]);

        Assert.That((run.ExitCode, File.Exists(_folder["r.yaml"])), Is.EqualTo((1, false)));
        Assert.That(run.Error, Does.Contain("LRT412"));
    }

    [TestCase("recipe.txt", "LRT809")]
    [TestCase("there.yaml", "LRT102")]
    public void Another_kind_of_file_and_an_existing_one_are_refused(string output, string code)
    {
        _folder.Write("there.yaml", "mine");

        var run = CommandLine.Run("init", Path.Combine(Fixtures.Repository, "models", "llama-mini"), "-o", _folder[output]);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain(code));
        Assert.That(File.ReadAllText(_folder["there.yaml"]), Is.EqualTo("mine"));
    }

    private JsonNode Trained(string model, string task, params (string Text, string Data)[] filledIn)
    {
        if (!Path.IsPathRooted(model)) model = Path.Combine(Fixtures.Repository, "models", model);
        var init = CommandLine.Run("init", model, "-o", _folder["recipe.yaml"], "--json");
        Assert.That((init.ExitCode, JsonNode.Parse(init.Output)!["task"]!.GetValue<string>()), Is.EqualTo((0, task)), init.Error);
        var recipe = File.ReadAllText(_folder["recipe.yaml"]);
        foreach (var (text, data) in filledIn)
        {
            Assert.That(recipe, Does.Contain(text));
            recipe = recipe.Replace(text, data, StringComparison.Ordinal);
        }
        _folder.Write("recipe.yaml", recipe);

        var run = CommandLine.Run("train", _folder["recipe.yaml"], "--json", "--quiet");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonNode.Parse(run.Output)!;
    }
}
