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
    public void Recipe_is_no_place_for_the_artifacts()
    {
        File.Copy(Recipe, _folder["recipe.yaml"]);
        var run = CommandLine.Run("artifacts", Model, "-o", _folder["recipe.yaml"], "--recipe", Recipe, "--force");

        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(File.ReadAllText(_folder["recipe.yaml"]), Is.EqualTo(File.ReadAllText(Recipe)));
    }
}
