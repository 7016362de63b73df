using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Tests.Recipes.Files;

/// <summary>Files that are no recipe, or that would fill the memory.</summary>
internal sealed class NoRecipeTests
{
    private RecipeOnDisk _recipe = null!;

    [SetUp]
    public void CreateRecipe() => _recipe = new();

    [TearDown]
    public void DeleteRecipe() => _recipe.Dispose();

    [TestCase(""), TestCase("model.onnx")]
    public void A_model_in_place_of_a_recipe_is_told_how_to_get_one(string name)
    {
        var path = System.IO.Path.Combine(Fixtures.Repository, "models", "llama-mini", name);

        var failure = Assert.Throws<LortaException>(() => RecipeFile.Load(path, LortaCatalog.Default))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT553", $"{path}: is a {(name.Length == 0 ? "folder" : "model")}, not a recipe.")));
        Assert.That(failure.Hint, Does.StartWith($"`lorta init {ShellPath.Quoted(path)} "));
    }

    [Test]
    public void A_run_in_place_of_a_recipe_leads_to_the_recipe_of_the_run()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var own = System.IO.Path.Combine(folder, "recipe.yaml");
        File.WriteAllText(own, RecipeOnDisk.Minimal);
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "checkpoints"));

        var failure = Assert.Throws<LortaException>(() => RecipeFile.Load(folder, LortaCatalog.Default))!;

        Directory.Delete(folder, recursive: true);
        Assert.That((failure.Code, failure.Hint), Is.EqualTo(("LRT553", $"The recipe of this run is {own}; `lorta train {ShellPath.Quoted(own)} --resume` continues it.")));
    }

    [TestCase("a: [", "LRT551")]
    [TestCase("", "LRT551")]
    [TestCase("seed: 1\nseed: 2", "LRT551")]
    [TestCase("- model", "LRT551")]
    [TestCase("adapter: { options: &a { x: *a } }", "LRT551")]
    public void What_is_no_recipe_is_refused_in_a_sentence(string yaml, string code) => Assert.That(_recipe.Refused(yaml).Code, Does.StartWith(code));

    [TestCase("adapter:\n  layers: &a [*a, *a, *a]", "line 2: the alias *a is inside what it names.")]
    [TestCase("a: *b\nb: &b 1", "line 1: the alias *b names nothing before it.")]
    [TestCase("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]",
        "line 4: the text holds more than 10000 values, those that aliases repeat included.")]
    [TestCase("a: { b: 4 *\noutput: run", "line 2: the text is not YAML.")]
    public void What_would_fill_the_memory_or_stops_the_scanner_is_refused_with_its_line(string yaml, string expected)
    {
        var failure = _recipe.Refused(yaml);

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT551", $"{_recipe.Path}: {expected}")));
    }

    [TestCase("{a: ", "}")]
    [TestCase("[", "")]
    public void Deep_nesting_is_refused(string open, string close)
    {
        var yaml = $"model: {string.Concat(Enumerable.Repeat(open, 20_000))}{string.Concat(Enumerable.Repeat(close, 20_000))}";

        Assert.That(_recipe.Refused(yaml).Message, Is.EqualTo($"{_recipe.Path}: line 1: the text is nested more than 32 deep."));
    }

    [Test]
    public void A_missing_file_is_named() =>
        Assert.That(() => RecipeFile.Load(_recipe.Path, LortaCatalog.Default), Throws.TypeOf<LortaException>().With.Message.Contains(_recipe.Path));
}
