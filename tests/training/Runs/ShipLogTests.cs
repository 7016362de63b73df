using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Runs;

/// <summary>The yardstick: the bundled ship's log on the bundled llama-mini, against what PyTorch and JAX reach.</summary>
[Category("Slow")]
internal sealed class ShipLogTests
{
    private TestFolder _folder = null!;

    private static readonly OrtEngine Engine = new();

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Base_model_has_the_loss_of_PyTorch() =>
        Assert.That(Recipe().Evaluate(Engine).Loss, Is.EqualTo(5.6271).Within(1e-3));

    [Test]
    public void Three_hundred_steps_of_lorta_reach_the_loss_of_PyTorch()
    {
        var recipe = Recipe("train.evaluateEvery=never");

        var result = recipe.Train(Engine);

        Assert.That((result.Steps, result.Trainable), Is.EqualTo((300L, 1376L)));
        Assert.That(result.Loss, Is.LessThanOrEqualTo(3.95));
    }

    private Recipe Recipe(params string[] settings) =>
        RecipeFile.Load(Path.Combine(Fixtures.Repository, "models", "recipes", "ship-log.yaml"), LortaCatalog.Default, [.. settings, $"output={_folder["run"]}"]);
}
