using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Files;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Recipes as YAML files.</summary>
internal static class RecipeFile
{
    /// <summary>Reads, checks and resolves a recipe.</summary>
    /// <param name="path">The YAML file; relative paths in it start at its folder.</param>
    /// <param name="catalog">Families and losses to choose from.</param>
    /// <param name="overrides">Settings <c>path.to.key=value</c> that replace or add keys; values are YAML.</param>
    /// <exception cref="LortaException">LRT101 no such file; LRT550 every problem at once; LRT551 no YAML; LRT552 an override that is no
    /// setting; LRT553 a model or a run.</exception>
    public static Recipe Load(string path, LortaCatalog catalog, IReadOnlyList<string>? overrides = null)
    {
        var root = Parse(path);
        var set = new HashSet<YamlNode>(ReferenceEqualityComparer.Instance);
        foreach (var text in overrides ?? []) set.UnionWith(RecipeOverride.Apply(root, text, set));

        var binder = new RecipeBinder(set);
        var node = binder.Bind(root, RecipeJson.Options.GetTypeInfo(typeof(Recipe)), string.Empty);
        if (binder.Problems.Count > 0)
        {
            var rest = ProblemsOfTheRest(node, binder.Problems, catalog);
            throw RecipeErrors.Invalid(path, binder.Problems.Concat(rest).Select(binder.Locate));
        }
        var recipe = ToRecipe(path, node);
        var problems = RecipeRules.Check(recipe, catalog).ToList();
        if (problems.Count > 0) throw RecipeErrors.Invalid(path, problems.Select(binder.Locate));
        recipe = recipe with { Adapter = catalog.WithDefaults(recipe.Adapter) };
        return recipe.Resolved(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileNameWithoutExtension(path));
    }

    /// <summary>The recipe as YAML, every key written out.</summary>
    public static string ToYaml(Recipe recipe)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var document = new YamlDocument(YamlScalars.FromJson(RecipeJson.ToNode(recipe)));
        new YamlStream(document).Save(new Emitter(writer, new EmitterSettings().WithNewLine("\n")), assignAnchors: false);
        return writer.ToString().Replace("...\n", string.Empty, StringComparison.Ordinal);
    }

    /// <summary>Writes the recipe as YAML, every key written out.</summary>
    public static void Save(string path, Recipe recipe) => AtomicFile.WriteText(path, ToYaml(recipe));

    // What is wrong beside keys that cannot be read; nothing where a key is missing that a recipe cannot be without.
    private static IEnumerable<RecipeProblem> ProblemsOfTheRest(
        JsonNode? node, IReadOnlyList<RecipeProblem> unreadable, LortaCatalog catalog)
    {
        try
        {
            return node.Deserialize<Recipe>(RecipeJson.Options) is { } recipe
                ? RecipeRules.Check(recipe, catalog).Where(problem => !unreadable.Any(other => IsPart(problem.Path, other.Path)))
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static bool IsPart(string path, string of) => path == of || path.StartsWith($"{of}.", StringComparison.Ordinal);

    private static Recipe ToRecipe(string path, JsonNode? node)
    {
        try
        {
            return node.Deserialize<Recipe>(RecipeJson.Options)!;
        }
        catch (JsonException e)
        {
            throw RecipeErrors.Invalid(path,
                [new(e.Path is { Length: > 2 } place ? place[2..] : string.Empty, "has a value that does not fit")]);
        }
    }

    private static YamlMappingNode Parse(string path)
    {
        if (Directory.Exists(path)) throw RecipeErrors.IsNoRecipe(path);
        if (!RealPath.HasFile(path)) throw FileErrors.NotFound(path);
        if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) throw RecipeErrors.IsNoRecipe(path);
        try
        {
            using var reader = new StreamReader(path);
            var documents = YamlTree.Read(reader);
            return documents is [{ RootNode: YamlMappingNode root }]
                ? root
                : throw RecipeErrors.NotYaml(path, documents.Count > 1 ? "holds several documents" : "holds no keys");
        }
        catch (YamlException e)
        {
            throw RecipeErrors.NotYaml(path, e.Message.TrimEnd('.'), (int)e.Start.Line, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }
}
