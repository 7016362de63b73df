using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

internal sealed class RecipeIdentityTests
{
    private static readonly Recipe Recipe = new() { Model = "/a/m.onnx", Task = "classification", Data = new() { Train = "/a/t.tsv" } };

    [Test]
    public void Paths_output_and_device_do_not_count()
    {
        var moved = Recipe with { Model = "/b/m.onnx", Tokenizer = "/b", Output = "/c", Device = "cuda", Data = Recipe.Data with { Train = "/b/t.tsv", Validation = "/b/v.tsv" } };

        Assert.That(RecipeIdentity.Of(moved).Hash, Is.EqualTo(RecipeIdentity.Of(Recipe).Hash));
    }

    [Test]
    public void Every_other_option_counts_and_is_named_with_both_values()
    {
        var other = Recipe with { Seed = 3, Adapter = Recipe.Adapter with { Targets = ["q"] } };

        var differences = RecipeIdentity.DifferingKeys(RecipeIdentity.Of(Recipe), RecipeIdentity.Of(other));

        Assert.That(differences, Is.EqualTo(new[] { new RecipeDifference("adapter.targets", "null", """["q"]"""), new RecipeDifference("seed", "0", "3") }));
    }

    [Test]
    public void The_hash_is_sixty_four_hexadecimal_digits() => Assert.That(RecipeIdentity.Of(Recipe).Hash, Does.Match("^[0-9a-f]{64}$"));
}
