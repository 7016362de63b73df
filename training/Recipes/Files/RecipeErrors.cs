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
        var lines = problems.Distinct()
            .Select(problem => string.Join(
                ": ", new[] { problem.Source, problem.Path, problem.Text }.Where(part => !string.IsNullOrEmpty(part))))
            .ToList();
        return new(
            "LRT550",
            lines is [var single]
                ? $"{file}: {single}{(single.EndsWith('?') ? string.Empty : ".")}"
                : $"{file}: {lines.Count} problems\n  {string.Join("\n  ", lines)}",
            Schema)
        { IsUsage = true };
    }

    public static LortaException NotYaml(string file, string what, Exception? inner) =>
        new(
            "LRT551",
            $"{file}: {what}.",
            "A recipe is one YAML document of keys; see the example in the README.",
            inner)
        { IsUsage = true };

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
