using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>A recipe that continues from an adapter (<c>adapter.from</c>): what the adapter is follows from its folder, how it is trained
/// from the recipe.</summary>
internal static class ContinuedAdapter
{
    /// <summary>The recipe with the adapter's method, size, places and trained parameters.</summary>
    /// <param name="recipe">The recipe; what it states of these must be the adapter's. A default counts as not stated.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="path">The recipe's file; null for one that was made in code.</param>
    /// <param name="catalog">Families to choose from.</param>
    /// <exception cref="LortaException">LRT550: the recipe states another method, size or place.</exception>
    public static Recipe In(Recipe recipe, Adapter adapter, string? path, LortaCatalog catalog)
    {
        var (asked, stored) = (recipe.Adapter, adapter.Config.AdapterOptions);
        var problems = Problems(asked, stored, catalog).ToList();
        if (problems.Count > 0) throw RecipeErrors.Invalid(path ?? "recipe", problems);
        var options = asked with
        {
            Method = stored.Method,
            Rank = stored.Rank,
            Alpha = stored.Alpha,
            Targets = stored.Targets,
            Layers = stored.Layers,
            Options = stored.Options,
            Sites = stored.Sites,
        };
        return recipe with { Adapter = options, Trainables = [.. recipe.Trainables, .. Trained(recipe, adapter, catalog)] };
    }

    // Parameters that were trained alongside the adapter go on training.
    private static IEnumerable<TrainablePattern> Trained(Recipe recipe, Adapter adapter, LortaCatalog catalog)
    {
        if (catalog.TargetsOf(adapter.Config.Method) is { AreParameters: true }) return [];
        return adapter.Config.Trainables.Where(name => !recipe.Trainables.Any(pattern => pattern.Fits(name)))
            .Select(name => new TrainablePattern { Match = name });
    }

    private static IEnumerable<RecipeProblem> Problems(
        AdapterOptions asked, AdapterOptions stored, LortaCatalog catalog)
    {
        var usual = catalog.WithDefaults(new AdapterOptions { Method = asked.Method });
        var keys = new (string Key, object Asked, object Stored, object Usual)[]
        {
            ("method", asked.Method, stored.Method, new AdapterOptions().Method),
            ("rank", asked.Rank, stored.Rank, usual.Rank),
            ("alpha", asked.Alpha, stored.Alpha, usual.Alpha),
            ("targets", List(asked.Targets), List(stored.Targets), List(usual.Targets)),
            ("layers", asked.Layers.ToString(), stored.Layers.ToString(), usual.Layers.ToString()),
        };
        foreach (var (key, given, has, byDefault) in keys)
            if (!given.Equals(has) && !given.Equals(byDefault))
                yield return new($"adapter.{key}", FormattableString.Invariant($"must be {has}, as in the adapter, was {given}"));
        if (asked.Sites is { Count: > 0 } sites && !sites.SequenceEqual(stored.Sites ?? []))
            yield return new("adapter.sites", $"must be those of the adapter ({Sites(stored.Sites)}), was {Sites(sites)}");
        var known = catalog.FamilyOf(stored.Method)?.Options ?? [];
        foreach (var (name, given) in asked.Options)
        {
            var option = known.FirstOrDefault(option => option.Name == name);
            var has = stored.Options.GetValueOrDefault(name) ?? option?.Default;
            if (has != given) yield return new($"adapter.options.{name}", $"must be {has ?? "left out"}, as in the adapter, was {given}");
        }
    }

    private static string Sites(IReadOnlyList<SiteOptions>? sites) => sites is null or { Count: 0 }
        ? "none"
        : string.Join("; ", sites.Select(InWords));

    private static string InWords(SiteOptions site)
    {
        string[] rank = site.Rank is { } r ? [FormattableString.Invariant($"rank {r}")] : [];
        string[] alpha = site.Alpha is { } a ? [FormattableString.Invariant($"alpha {a}")] : [];
        return string.Join(", ", [site.Match, .. rank, .. alpha]);
    }

    private static string List(IReadOnlyList<string>? words) => string.Join(", ", words ?? []);
}
