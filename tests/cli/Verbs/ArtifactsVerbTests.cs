using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Cli.Tests.Verbs;

/// <summary>What <c>lorta artifacts</c> takes from a recipe, and what not beside it.</summary>
internal sealed class ArtifactsVerbTests
{
    private static readonly string Model = Path.Combine(Fixtures.Repository, "models", "roberta-mini");
    private static readonly string Recipe = Path.Combine(Fixtures.Repository, "models", "recipes", "reviews.yaml");

    private TestFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void Recipe_gives_adapter_task_and_trained_parameters()
    {
        var run = CommandLine.Run("artifacts", Model, "-o", _folder["artifacts"], "--recipe", Recipe);

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var config = File.ReadAllText(_folder["artifacts", "initial", "adapter_config.json"]);
        Assert.That(config, Does.Contain("\"classification\"").And.Contain("classifier.dense.weight").And.Contain("positive"));
        Assert.That(File.Exists(_folder["artifacts", "schedule.json"]));
    }

    [TestCase("--task")]
    [TestCase("--method")]
    [TestCase("--rank")]
    public void What_a_recipe_states_is_refused_beside_it(string option)
    {
        var value = option == "--rank" ? "4" : option == "--task" ? "classification" : "lora";
        var run = CommandLine.Run("artifacts", Model, "-o", _folder["artifacts"], "--recipe", Recipe, option, value);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("LRT808").And.Contain($"{option}: cannot be combined with --recipe"));
    }

    [Test]
    public void Neither_task_nor_recipe_is_refused()
    {
        var run = CommandLine.Run("artifacts", Model, "-o", _folder["artifacts"]);

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("LRT584"));
    }

    [Test]
    public void Artifacts_never_replace_the_adapter_that_the_recipe_reads()
    {
        CommandLine.Run("artifacts", Model, "-o", _folder["artifacts"], "--recipe", Recipe);
        var recipe = File.ReadAllText(Recipe)
            .Replace("adapter: {", $"adapter: {{ from: {_folder["artifacts", "initial"]},")
            .Replace(" ../", $" {Fixtures.Repository}/models/");
        var before = File.ReadAllBytes(_folder["artifacts", "initial", "adapter_model.safetensors"]);
        File.WriteAllText(_folder["continued.yaml"], recipe);

        var run = CommandLine.Run("artifacts", Model, "-o", _folder["artifacts"], "--recipe", _folder["continued.yaml"], "--force");

        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain("LRT701").And.Contain("adapter_config.json"));
        Assert.That(File.ReadAllBytes(_folder["artifacts", "initial", "adapter_model.safetensors"]), Is.EqualTo(before));
    }
}
