using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Failures of recipes.</summary>
internal static class RecipeErrors
{
    private const string Schema = "Run 'lorta schema recipe' for all keys with their defaults.";

    /// <summary>Every problem at once, each with its key and, where known, its line.</summary>
    public static LortaException Invalid(string file, IEnumerable<RecipeProblem> problems)
    {
        var all = problems.Distinct().ToList();
        var lines = all
            .Select(problem => string.Join(
                ": ", new[] { problem.Source, problem.Path, problem.Text }.Where(part => !string.IsNullOrEmpty(part))))
            .ToList();
        return new(
            "LRT550",
            lines is [var single]
                ? $"{file}: {single}{(single.EndsWith('?') ? string.Empty : ".")}"
                : $"{file}: {lines.Count} problems\n  {string.Join("\n  ", lines)}",
            Schema)
        {
            IsUsage = true,
            Origin = all.Find(problem => problem.Line is not null) is { Line: { } line } ? new(file, line) : null,
        };
    }

    /// <summary>A text that is no recipe.</summary>
    /// <param name="file">The file.</param>
    /// <param name="what">What is wrong with it.</param>
    /// <param name="line">Where, if known.</param>
    /// <param name="inner">What the parser says.</param>
    public static LortaException NotYaml(string file, string what, int? line = null, Exception? inner = null) =>
        new(
            "LRT551",
            string.Create(CultureInfo.InvariantCulture, $"{file}: {(line is null ? string.Empty : $"line {line}: ")}{what}."),
            "A recipe is one YAML document of keys; see the example in the README.",
            inner)
        { IsUsage = true, Origin = line is { } number ? new(file, number) : null };

    /// <summary>A model or a run where a recipe belongs.</summary>
    public static LortaException IsNoRecipe(string path)
    {
        var own = Path.Combine(path, "recipe.yaml");
        return new(
            "LRT553",
            $"{path}: is a {(Directory.Exists(path) ? "folder" : "model")}, not a recipe.",
            File.Exists(own) && Directory.Exists(Path.Combine(path, "checkpoints"))
                ? $"The recipe of this run is {own}; `lorta train {ShellPath.Quoted(own)} --resume` continues it."
                : $"`lorta init {ShellPath.Quoted(path)} -o recipe.yaml` writes a first recipe for a model.")
        { IsUsage = true };
    }

    public static LortaException NotASetting(string setting, string what) =>
        new(
            "LRT552",
            $"--set {setting}: {what}.",
            "Write --set path.to.key=value, for instance --set train.optimizer.lr=1e-2.")
        { IsUsage = true };
}
