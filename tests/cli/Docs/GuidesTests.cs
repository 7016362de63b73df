using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Runs the commands of the pages in <c>docs</c> and reads their recipes. Training is shortened to one
/// epoch of a few rows: what is checked is that each command is accepted and ends well after those above it, not what a run learns.</summary>
[NonParallelizable]
internal sealed partial class GuidesTests
{
    private const string NotRun = "Not run by our tests";

    private const string Quantized = "my-int4-decoder";

    // What the pages call a user's own model, and what it is here.
    private static readonly (string Name, string Model)[] OwnModels = [("my-decoder", "llama-mini"), ("my-classifier", "roberta-mini"), ("my-protein-model", "esm-mini")];

    // The runs that pages start from where they do not train themselves, by name and recipe.
    private static readonly string[] Runs = ["ship-log", "reviews"];

    // Needs a card.
    private static IEnumerable<string> Pages => Directory.EnumerateFiles(Repository.Path("docs"), "*.md").Select(path => $"docs/{Path.GetFileName(path)}")
        .Where(page => page != "docs/cuda.md").Order(StringComparer.Ordinal);

    private static IEnumerable<string> PagesWithCommands => Pages.Where(page => Commands(page).Any());

    private static IEnumerable<string> PagesWithRecipes => Pages.Where(page => Recipes(page).Any());

    private string _before = null!;
    private TestFolder _prepared = null!;
    private TestFolder _folder = null!;

    [OneTimeSetUp]
    public void Prepare()
    {
        _before = Environment.CurrentDirectory;
        _prepared = new();
        Copy(Repository.Path("models"), _prepared["models"]);
        foreach (var recipe in Directory.GetFiles(_prepared["models", "recipes"], "*.yaml")) Shorten(recipe);
        foreach (var data in new[] { "reviews.tsv", "ship-log.txt", "repeats.fasta" }) Shorten(_prepared["models", "data", data], 60);
        foreach (var (name, model) in OwnModels) Copy(Repository.Path($"models/{model}"), _prepared[name]);
        _prepared.Write("new.tsv", "sentence\nA fine film.\nDull and far too long.\n");
        _prepared.Write("texts.tsv", "text\nA fine film.\nDull and far too long.\n");
        Environment.CurrentDirectory = _prepared.Path;
        foreach (var recipe in Runs) Succeeds("train", $"models/recipes/{recipe}.yaml", "-o", $"runs/{recipe}");
        Succeeds("export", "models/llama-mini", "--adapter", "runs/ship-log", "-o", "runs/merged");
    }

    [SetUp]
    public void CopyPrepared()
    {
        _folder = new();
        Copy(_prepared.Path, _folder.Path);
        Environment.CurrentDirectory = _folder.Path;
    }

    [TearDown]
    public void Leave()
    {
        Environment.CurrentDirectory = _before;
        _folder.Dispose();
    }

    [OneTimeTearDown]
    public void DeletePrepared() => _prepared.Dispose();

    [TestCaseSource(nameof(PagesWithCommands))]
    public void Commands_of_a_page_are_accepted_and_end_well(string page)
    {
        if (Commands(page).Any(command => command.Any(word => word.Contains(Quantized, StringComparison.Ordinal)))) AddQuantizedModel();

        foreach (var command in Commands(page)) Succeeds(Shortened(command));
    }

    [TestCaseSource(nameof(PagesWithRecipes))]
    public void Recipes_of_a_page_load_without_problems(string page)
    {
        foreach (var recipe in Recipes(page))
            Assert.That(() => RecipeFile.Load(_folder.Write("recipe-of-the-page.yaml", string.Join('\n', recipe.Lines)), LortaCatalog.Default), Throws.Nothing, recipe.Lines[0]);
    }

    [TestCaseSource(nameof(Pages))]
    public void Blocks_that_no_test_runs_say_so(string page)
    {
        var others = PageBlock.Of(page).Where(block => block.Language is not ("sh" or "yaml" or "csharp" or "js" or "json" or "xml" or "text" or "")
            || (block.Language == "sh" && !block.Lines.All(line => line.Length == 0 || line[0] == '#' || line.StartsWith("lorta ", StringComparison.Ordinal))));

        Assert.That(others.Where(block => !IsNotRun(block)).Select(block => string.Join('\n', block.Lines)), Is.Empty);
    }

    // A model of 4 bits is among the fixtures only.
    private void AddQuantizedModel()
    {
        Directory.CreateDirectory(_folder[Quantized]);
        File.Copy(Fixtures.Path("models", "llama-mini", "genai-int4.onnx"), _folder[Quantized, "model.onnx"]);
        foreach (var file in Directory.GetFiles(_folder["my-decoder"], "*token*")) File.Copy(file, _folder[Quantized, Path.GetFileName(file)]);
    }

    private static IEnumerable<string[]> Commands(string page) =>
        from block in PageBlock.Of(page)
        where block.Language == "sh" && !IsNotRun(block)
        from line in block.Lines
        where line.StartsWith("lorta ", StringComparison.Ordinal)
        select Words().Matches(line.Split(" #")[0]["lorta ".Length..]).Select(word => word.Value.Replace("\"", string.Empty, StringComparison.Ordinal).Replace("'", string.Empty, StringComparison.Ordinal)).ToArray();

    // Whole recipes, that is; the other blocks show a section of one.
    private static IEnumerable<PageBlock> Recipes(string page) =>
        PageBlock.Of(page).Where(block => block.Language == "yaml" && block.Lines.Any(line => line.StartsWith("data:", StringComparison.Ordinal)) && block.Lines.Any(line => line.StartsWith("model:", StringComparison.Ordinal)));

    private static bool IsNotRun(PageBlock block) => block.Before.Contains(NotRun, StringComparison.Ordinal);

    // Outputs that are there already are those of the preparation; a length that the page names would take long.
    private static string[] Shortened(string[] command)
    {
        var replaces = command.Contains("-o") && !command.Contains("--resume") && !command.Contains("--force");
        return [.. command.Select(word => Setting().Replace(word, "train.epochs=1")), .. replaces ? ["--force"] : Array.Empty<string>()];
    }

    private static void Succeeds(params string[] command)
    {
        var run = CommandLine.Run([.. command, "--quiet"]);
        Assert.That(run.ExitCode, Is.Zero, $"lorta {string.Join(' ', command)}\n{run.Error}");
    }

    // The length of the run, and the warm-up that is part of it.
    private static void Shorten(string recipe) =>
        File.WriteAllText(recipe, WarmUp().Replace(Length().Replace(File.ReadAllText(recipe), "epochs: 1"), "warmupSteps: 1"));

    private static void Shorten(string data, int lines) => File.WriteAllLines(data, File.ReadAllLines(data).Take(lines));

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Join(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    [GeneratedRegex("""(?:[^\s"']|"[^"]*"|'[^']*')+""")]
    private static partial Regex Words();

    [GeneratedRegex(@"\b(?:steps|epochs): \d+")]
    private static partial Regex Length();

    [GeneratedRegex(@"^train\.(?:steps|epochs)=\d+$")]
    private static partial Regex Setting();

    [GeneratedRegex(@"\bwarmupSteps: \d+")]
    private static partial Regex WarmUp();
}
