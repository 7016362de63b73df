using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen.Adapters.Planning;

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

    /// <summary>The model's own parameters that the family trains, in alphabetical order; empty for families that adapt places.</summary>
    public IReadOnlyList<FamilyParameter> Parameters { get; init; } = [];

    /// <summary>The sizes that an adapter's file states: the width of an MLP that is left alone is none of its facts. Null where they are
    /// not known.</summary>
    internal Architecture? Stated => Architecture == Architecture.Unknown ? null : Architecture with
    {
        Ffn = Sites.All.Any(site => site.Heads is null) ? Architecture.Ffn : null,
        IsGated = null,
        HasRotatedKeys = null,
    };

    /// <summary>Number of trained parameters.</summary>
    public long Trainable =>
        Factors.Where(factor => factor.IsTrained).Sum(factor => factor.Count) + Parameters.Sum(parameter => parameter.Count);

    /// <summary>Plans an adapter for a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">What the adapter is to be.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT201, LRT204: no attention that was understood, which families that train the model's own
    /// parameters do not need; LRT307, LRT314: of those, none that is chosen, or one that cannot be trained; otherwise as
    /// below.</exception>
    public static AdapterPlan Of(UnderstoodModel model, AdapterOptions options, LortaCatalog? catalog = null) =>
        Of(model, options, catalog ?? LortaCatalog.Default, names: null);

    /// <inheritdoc cref="Of(UnderstoodModel, AdapterOptions, LortaCatalog?)"/>
    internal static AdapterPlan Of(
        UnderstoodModel model,
        AdapterOptions options,
        LortaCatalog catalog,
        IReadOnlyList<ParameterName>? names)
    {
        options.Validate();
        var family = catalog.Create(options);
        CheckDropout(options, family);
        return family.Targets.AreParameters
            ? OfParameters(model, options, family, names)
            : Of(Architecture.Of(model), options, catalog, address => DiscoveryErrors.NoSite(address, model.Map.Findings));
    }

    /// <summary>Plans an adapter for a model of the given sizes.</summary>
    /// <param name="architecture">Sizes of the model.</param>
    /// <param name="options">What the adapter is to be.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT301 … LRT306, LRT319 … LRT321: unknown, senseless or unfitting options.</exception>
    public static AdapterPlan Of(Architecture architecture, AdapterOptions options, LortaCatalog? catalog = null) =>
        Of(architecture, options, catalog ?? LortaCatalog.Default, AdapterErrors.SizeNotKnown);

    private static AdapterPlan Of(
        Architecture architecture,
        AdapterOptions options,
        LortaCatalog catalog,
        Func<string, LortaException> missing)
    {
        options.Validate();
        var family = catalog.Create(options);
        CheckDropout(options, family);
        if (family.Targets.AreParameters) throw AdapterErrors.ParametersNotKnown(options.Method);
        options = options with { Targets = TargetsOf(architecture, options, family, missing) };
        var sites = SitesOf(architecture, options, family, options => catalog.Create(options).Scale);
        if (family.HasRank) CheckRank(sites);
        options = options with { Options = WithThoseOf(options, family.OptionsFor(sites)) };
        var factors = WithRates(family.Factors(sites), options);
        if (factors.FirstOrDefault(factor => factor.Count > Array.MaxLength) is { } large)
            throw AdapterErrors.InvalidOptions([("rank",
                $"{options.Rank} gives '{large.Name}' {large.Count} numbers, more than an array holds")]);
        return new AdapterPlan { Options = options, Family = family, Architecture = architecture, Sites = sites, Factors = factors };
    }

    // Nothing but the names of parameters is asked of the model: there may be no attention in it.
    private static AdapterPlan OfParameters(
        UnderstoodModel model, AdapterOptions options, IAdapterFamily family, IReadOnlyList<ParameterName>? names)
    {
        CheckChoice(options);
        options = options with { Targets = options.Targets ?? family.Targets.Defaults };
        var architecture = Architecture.OrUnknown(model);
        var sites = NoSites(architecture, options.Targets);
        return new AdapterPlan
        {
            Options = options,
            Family = family,
            Architecture = architecture,
            Sites = sites,
            Factors = WithRates(family.Factors(sites), options),
            Parameters = FamilyParameter.Of(model.Deployed, options, names),
        };
    }

    private static void CheckDropout(AdapterOptions options, IAdapterFamily family)
    {
        if (options.Dropout > 0 && !family.HasDropout)
            throw AdapterErrors.InvalidOptions([("dropout",
                $"{options.Method} has no input that elements could be dropped from; leave it at 0")]);
    }

    // Options that choose or change places say nothing where parameters are chosen by name.
    private static void CheckChoice(AdapterOptions options)
    {
        var senseless = options switch
        {
            { Layers.Indices: not null } => "layers",
            { Sites: not null } => "sites",
            _ => null,
        };
        if (senseless is not null)
            throw AdapterErrors.InvalidOptions([(senseless,
                $"is for adapters of linear layers; {options.Method} trains parameters of the model that targets choose by name")]);
    }

    /// <summary>Refuses a file that states another scale than its options make.</summary>
    /// <exception cref="LortaException">LRT313: both scales.</exception>
    internal void CheckScale(string file, double stated)
    {
        if (!(Math.Abs(stated - Family.Scale) <= 1e-9 * Math.Abs(Family.Scale)))
            throw AdapterErrors.OtherThanFollows(file, "scale", stated, Family.Scale);
    }

    // A tensor over all sites may need a larger rank than one matrix has; far more than that is a typing error, and would fill the memory.
    private static void CheckRank(AdapterSites sites)
    {
        if (sites.All.Count == 0) return;
        var largest = Math.Max(sites.MaxIn, sites.MaxOut);
        var (most, rank) = ((long)RanksPerWidth * largest, sites.All.Max(site => site.Rank));
        if (rank > most)
            throw AdapterErrors.InvalidOptions([("rank",
                FormattableString.Invariant(
                    $"must be <= {most}, {RanksPerWidth} times the largest input or output ({largest}), was {rank}"))]);
    }

    // What is given goes first. A family is made of the options that its file will state.
    private static IReadOnlyDictionary<string, string> WithThoseOf(AdapterOptions options, IReadOnlyDictionary<string, string> following) =>
        following.Count == 0
            ? options.Options
            : following.Where(option => !options.Options.ContainsKey(option.Key)).Concat(options.Options)
                .ToDictionary(StringComparer.Ordinal);

    private static IReadOnlyList<Factor> WithRates(IReadOnlyList<Factor> factors, AdapterOptions options)
    {
        foreach (var (name, rate) in options.LearningRateFactors())
        {
            if (!factors.Any(factor => factor.IsTrained && factor.EndsWith(name)))
                throw AdapterErrors.InvalidOptions([(options.LoraPlus is null ? $"lrFactors.{name}" : "loraPlus",
                    $"{options.Method} trains no factor {name}")]);
            factors = [.. factors.Select(factor => factor.EndsWith(name)
                ? factor with { LearningRateFactor = factor.LearningRateFactor * rate }
                : factor)];
        }
        return factors;
    }

    // A gate that the MLP does not have is no error, unless nothing is left.
    private static IReadOnlyList<string> TargetsOf(
        Architecture architecture, AdapterOptions options, IAdapterFamily family, Func<string, LortaException> missing)
    {
        var words = options.Targets ?? family.Targets.Defaults;
        if (words.FirstOrDefault(word => !family.Targets.Has(word)) is { } unknown)
            throw AdapterErrors.UnknownTarget(options.Method, unknown, family.Targets.Words);
        var names = family.Targets.Expand(words);
        if (family.Targets.AreAttention && names.Count < family.Targets.All.Count)
            throw AdapterErrors.InvalidOptions([("targets",
                $"{options.Method} acts on keys and values together; name {string.Join(" and ", family.Targets.Words)}, or nothing")]);
        var there = names.Where(name => architecture.IsGated != false || family.Targets.MatrixOf(name) != "gate").ToList();
        var absent = there.Count == 0
            ? "gate"
            : there.Select(family.Targets.MatrixOf).FirstOrDefault(matrix => architecture.Linear(matrix) is null);
        return absent is null ? there : throw missing($"layers.{options.Layers.Indices?[0] ?? 0}.{absent}");
    }

    private static AdapterSites NoSites(Architecture architecture, IReadOnlyList<string> targets) => new()
    {
        Width = architecture.Hidden,
        Heads = architecture.Heads,
        KvHeads = architecture.KvHeads,
        HeadWidth = architecture.HeadWidth,
        HasRotatedKeys = architecture.HasRotatedKeys,
        Layers = [],
        Targets = targets,
        All = [],
    };

    private static AdapterSites SitesOf(
        Architecture architecture, AdapterOptions options, IAdapterFamily family, Func<AdapterOptions, double> scaleOf)
    {
        var targets = family.Targets;
        IReadOnlyList<int> layers = options.Layers.Indices ?? [.. Enumerable.Range(0, architecture.Layers)];
        foreach (var layer in layers)
            if (layer < 0 || layer >= architecture.Layers) throw AdapterErrors.UnknownLayer(layer, architecture.Layers);
        var sites = NoSites(architecture, options.Targets!) with
        {
            Layers = layers,
            All =
            [
                .. from layer in layers
                   from target in options.Targets!
                   let own = OptionsOf(layer, target)
                   where own.Rank > 0
                   select SiteOf(layer, target, own),
            ],
        };
        CheckSites(options, family, sites);
        return sites;

        AdapterOptions OptionsOf(int layer, string target)
        {
            var entry = options.Sites?.FirstOrDefault(entry => entry.Fits(layer, target));
            return options with { Rank = entry?.Rank ?? options.Rank, Alpha = entry?.Alpha ?? options.Alpha };
        }

        AdapterSite SiteOf(int layer, string target, AdapterOptions own)
        {
            var matrix = targets.MatrixOf(target);
            var (input, output) = architecture.Linear(matrix)!.Value;
            return new AdapterSite(layer, matrix)
            {
                Target = target,
                Rank = own.Rank,
                Strength = (own.Rank, own.Alpha) == (options.Rank, options.Alpha) ? 1 : scaleOf(own) / family.Scale,
                In = input,
                Out = output,
                Heads = architecture.HeadsOf(matrix),
            };
        }
    }

    private static void CheckSites(AdapterOptions options, IAdapterFamily family, AdapterSites sites)
    {
        if (options.Sites is not null && sites.All.Count == 0) throw AdapterErrors.InvalidOptions([("sites", "leaves no site")]);
        foreach (var (index, entry) in (options.Sites ?? []).Index())
        {
            if (!sites.Layers.Any(layer => sites.Targets.Any(target => entry.Fits(layer, target))))
                throw AdapterErrors.InvalidOptions([($"sites.{index}", $"'{entry.Match}' fits no adapted site")]);
            if (family.SharesRank && entry.Rank is { } rank && rank != 0 && rank != options.Rank)
                throw AdapterErrors.InvalidOptions(
                    [($"sites.{index}.rank", $"{options.Method} shares factors, so all sites have one rank")]);
        }
    }
}
