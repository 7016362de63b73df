using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Holds <c>models/recipes</c> against the program.</summary>
internal sealed class RecipesTests
{
    private static IEnumerable<string> Recipes => Directory.EnumerateFiles(Repository.Path("models/recipes"), "*.yaml").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Recipes))]
    public void A_recipe_loads_without_problems(string name)
    {
        var recipe = RecipeFile.Load(Repository.Path($"models/recipes/{name}"));

        Assert.That(recipe.Output, Is.EqualTo(Path.Join(Repository.Root, "runs", Path.GetFileNameWithoutExtension(name))));
    }

    [TestCase("ship-log.yaml")]
    [TestCase("reviews.yaml")]
    public void What_a_bundled_recipe_names_is_there(string name)
    {
        var recipe = RecipeFile.Load(Repository.Path($"models/recipes/{name}"));

        Assert.That(new[] { recipe.Model, recipe.Tokenizer }, Has.All.Matches<string>(Directory.Exists));
        Assert.That(recipe.Data.Train, Does.Exist);
    }

    [Test]
    public void The_schema_file_is_what_the_command_writes() =>
        Assert.That(File.ReadAllText(Repository.Path("models/recipes/recipe.schema.json")), Is.EqualTo(CommandLine.Run("schema", "recipe").Output), "Write it anew: lorta schema recipe > models/recipes/recipe.schema.json");
}
