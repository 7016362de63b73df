using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Holds <c>models/recipes</c> against the program.</summary>
internal sealed class RecipesTests
{
    private static IEnumerable<string> Recipes => Directory.EnumerateFiles(Repository.Path("models/recipes"), "*.yaml", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Repository.Path("models/recipes"), path)).Order(StringComparer.Ordinal);

    // Those whose model and data are not included have a folder of their own.
    private static IEnumerable<string> Bundled => Recipes.Where(name => Path.GetDirectoryName(name) is "");

    [TestCaseSource(nameof(Recipes))]
    public void A_recipe_loads_without_problems(string name)
    {
        var recipe = RecipeFile.Load(Repository.Path($"models/recipes/{name}"), LortaCatalog.Default);

        Assert.That(recipe.Output, Is.EqualTo(Path.Join(Repository.Root, "runs", Path.GetFileNameWithoutExtension(name))));
    }

    [TestCaseSource(nameof(Bundled))]
    public void What_a_bundled_recipe_names_is_there(string name)
    {
        var recipe = RecipeFile.Load(Repository.Path($"models/recipes/{name}"), LortaCatalog.Default);

        Assert.That(new[] { recipe.Model, recipe.Tokenizer }, Has.All.Matches<string>(Directory.Exists));
        Assert.That(recipe.Data.Train, Does.Exist);
    }

    [Test]
    public void The_schema_file_is_what_the_command_writes() =>
        Assert.That(File.ReadAllText(Repository.Path("models/recipes/recipe.schema.json")), Is.EqualTo(CommandLine.Run("schema", "recipe").Output), "Write it anew: lorta schema recipe > models/recipes/recipe.schema.json");

    [Test]
    public void The_table_of_keys_is_what_the_command_writes() =>
        Assert.That(File.ReadAllText(Repository.Path("docs/recipe.md")), Does.EndWith($"\n{CommandLine.Run("schema", "recipe", "--table").Output}"), "Write its tables anew: lorta schema recipe --table");

    [Test]
    public void Quickstart_finds_what_it_trains_beside_the_tool()
    {
        foreach (var file in new[] { "recipes/ship-log.yaml", "data/ship-log.txt", "llama-mini/model.onnx", "llama-mini/tokenizer.json" })
            Assert.That(Path.Combine(AppContext.BaseDirectory, "models", file), Does.Exist);
    }

    [Test, Category(Fixtures.NotNeeded)]
    public void The_recipe_for_sequences_of_residues_learns()
    {
        using var folder = new TestFolder();

        var before = Loss("evaluate", "models/recipes/repeats.yaml");
        var trained = Loss("train", "models/recipes/repeats.yaml", "-o", folder["run"], "--set", "train.steps=40");

        Assert.That(trained, Is.LessThan(before - 0.05));
    }

    private static double Loss(string verb, string recipe, params string[] options)
    {
        var run = CommandLine.Run([verb, Repository.Path(recipe), .. options, "--json", "--quiet"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        return document.RootElement.GetProperty("loss").GetDouble();
    }
}
