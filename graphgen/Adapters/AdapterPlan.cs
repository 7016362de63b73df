using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>An adapter on a model: the family, its sites and its factors.</summary>
public sealed record AdapterPlan
{
    private const int RanksPerWidth = 16;

    /// <summary>What was asked for.</summary>
    public required AdapterOptions Options { get; init; }

    /// <summary>The family.</summary>
    public required IAdapterFamily Family { get; init; }

    /// <summary>The sizes of the model.</summary>
    public required Architecture Architecture { get; init; }

    /// <summary>Where it acts.</summary>
    public required AdapterSites Sites { get; init; }

    /// <summary>Its tensors.</summary>
    public required IReadOnlyList<Factor> Factors { get; init; }

    /// <summary>Number of trained parameters.</summary>
    public long Trainable => Factors.Where(factor => factor.IsTrained).Sum(factor => factor.Count);

    /// <summary>Plans an adapter for a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">What the adapter is to be.</param>
    /// <param name="families">Families to choose from; null = those of this project.</param>
    /// <exception cref="LortaException">LRT201, LRT204: no attention that was understood; otherwise as below.</exception>
    public static AdapterPlan Of(UnderstoodModel model, AdapterOptions options, IReadOnlyList<AdapterFamilyEntry>? families = null) =>
        Of(Architecture.Of(model), options, families);

    /// <summary>Plans an adapter for a model of the given sizes.</summary>
    /// <param name="architecture">Sizes of the model.</param>
    /// <param name="options">What the adapter is to be.</param>
    /// <param name="families">Families to choose from; null = those of this project.</param>
    /// <exception cref="LortaException">LRT301 … LRT306, LRT319 … LRT321: unknown, senseless or unfitting options.</exception>
    public static AdapterPlan Of(Architecture architecture, AdapterOptions options, IReadOnlyList<AdapterFamilyEntry>? families = null)
    {
        options.Validate();
        var family = AdapterFamilies.Create(options, families);
        options = options with { Targets = TargetsOf(options, family) };
        var sites = SitesOf(architecture, options, family.Targets);
        CheckRank(options, sites);
        var factors = family.Factors(sites);
        if (factors.FirstOrDefault(factor => factor.Count > Array.MaxLength) is { } large)
            throw AdapterErrors.InvalidOptions([("rank",
                $"{options.Rank} gives '{large.Name}' {large.Count} numbers, more than an array holds")]);
        return new AdapterPlan { Options = options, Family = family, Architecture = architecture, Sites = sites, Factors = factors };
    }

    /// <summary>Refuses a file that states another scale than its options make.</summary>
    /// <exception cref="LortaException">LRT313: both scales.</exception>
    internal void CheckScale(string file, double stated)
    {
        if (!(Math.Abs(stated - Family.Scale) <= 1e-9 * Math.Abs(Family.Scale)))
            throw AdapterErrors.OtherThanFollows(file, "scale", stated, Family.Scale);
    }

    // A tensor over all sites may need a larger rank than one matrix has; far more than that is a typing error, and would fill the memory.
    private static void CheckRank(AdapterOptions options, AdapterSites sites)
    {
        if (sites.All.Count == 0) return;
        var largest = sites.All.Max(site => Math.Max(site.In, site.Out));
        var most = (long)RanksPerWidth * largest;
        if (options.Rank > most)
            throw AdapterErrors.InvalidOptions([("rank",
                FormattableString.Invariant(
                    $"must be <= {most}, {RanksPerWidth} times the largest input or output ({largest}), was {options.Rank}"))]);
    }

    private static IReadOnlyList<string> TargetsOf(AdapterOptions options, IAdapterFamily family)
    {
        var words = options.Targets ?? family.Targets.Defaults;
        if (words.FirstOrDefault(word => !family.Targets.Has(word)) is { } unknown)
            throw AdapterErrors.UnknownTarget(options.Method, unknown, family.Targets.Words.Except(AdapterOptions.LaterTargets));
        if (words.FirstOrDefault(AdapterOptions.LaterTargets.Contains) is { } later) throw AdapterErrors.TargetNotYet(later);
        return family.Targets.Expand(words);
    }

    private static AdapterSites SitesOf(Architecture architecture, AdapterOptions options, FamilyTargets targets)
    {
        IReadOnlyList<int> layers = options.Layers.Indices ?? [.. Enumerable.Range(0, architecture.Layers)];
        foreach (var layer in layers)
            if (layer < 0 || layer >= architecture.Layers) throw AdapterErrors.UnknownLayer(layer, architecture.Layers);
        return new AdapterSites
        {
            Width = architecture.Hidden,
            Heads = architecture.Heads,
            KvHeads = architecture.KvHeads,
            HeadWidth = architecture.HeadWidth,
            Layers = layers,
            Targets = options.Targets!,
            All = targets.AreParameters
                ? []
                : [.. from layer in layers from target in options.Targets! select SiteOf(layer, target)],
        };

        AdapterSite SiteOf(int layer, string target)
        {
            var matrix = targets.MatrixOf(target);
            var (input, output) = architecture.Linear(matrix);
            return new AdapterSite(layer, matrix)
            {
                Target = target,
                In = input,
                Out = output,
                Heads = architecture.HeadsOf(matrix),
            };
        }
    }
}
