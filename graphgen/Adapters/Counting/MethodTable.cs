using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;

namespace LoRTA.Onnx.GraphGen.Adapters.Counting;

/// <summary>The families side by side at the sizes of a model: what each changes, how much it trains, whether it folds (paper, Table
/// 1).</summary>
/// <param name="Rank">The rank that was asked for.</param>
/// <param name="Rows">A row for each family, in their order.</param>
public sealed record MethodTable(int Rank, IReadOnlyList<MethodRow> Rows)
{
    private static readonly int[] RanksOfThePaper = [4, 64];

    /// <summary>Counts every family.</summary>
    /// <param name="architecture">The sizes of the model.</param>
    /// <param name="options">Rank and targets of all of them; an option of a family's own counts for those that have it.</param>
    /// <param name="catalog">The families; null = those of <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT302 an option that no family has; LRT303 a value that it does not take; LRT306 a target that no
    /// family has; LRT319 senseless options.</exception>
    public static MethodTable Of(Architecture architecture, AdapterOptions options, LortaCatalog? catalog = null)
    {
        catalog ??= LortaCatalog.Default;
        return Of(asked => AdapterPlan.Of(architecture, asked, catalog), options, catalog);
    }

    /// <summary>Counts every family for a model, also those that train its own parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">As above.</param>
    /// <param name="catalog">The families; null = those of <see cref="LortaCatalog.Default"/>.</param>
    /// <inheritdoc cref="Of(Architecture, AdapterOptions, LortaCatalog?)" path="/exception"/>
    public static MethodTable Of(UnderstoodModel model, AdapterOptions options, LortaCatalog? catalog = null)
    {
        catalog ??= LortaCatalog.Default;
        return Of(asked => AdapterPlan.Of(model, asked, catalog), options, catalog);
    }

    private static MethodTable Of(
        Func<AdapterOptions, AdapterPlan> plan, AdapterOptions options, LortaCatalog catalog)
    {
        options.Validate();
        CheckTargets(options, catalog);
        CheckOptions(options, catalog);
        return new MethodTable(options.Rank, [.. catalog.Families.Select(family => RowOf(plan, OptionsOf(family, options), catalog))]);
    }

    // A word that some families do not know is their reason for no number; one that none knows is a typing error.
    private static void CheckTargets(AdapterOptions options, LortaCatalog catalog)
    {
        var known = catalog.Families.Select(family => family.Targets).Where(targets => !targets.AreParameters).ToList();
        if (options.Targets?.FirstOrDefault(word => !known.Exists(targets => targets.Has(word))) is { } unknown)
            throw AdapterErrors.UnknownTarget("any family", unknown, known.SelectMany(targets => targets.Words).Distinct());
    }

    private static void CheckOptions(AdapterOptions options, LortaCatalog catalog)
    {
        foreach (var (name, value) in options.Options)
        {
            var with = catalog.Families.Where(family => family.Options.Any(option => option.Name == name)).ToList();
            if (with.Count == 0)
            {
                throw AdapterErrors.UnknownOption(
                    method: null, name, catalog.Families.SelectMany(family => family.Options.Select(option => option.Name)).Distinct());
            }
            foreach (var family in with)
                if (family.Options.First(option => option.Name == name).Check(value) is { } problem)
                    throw AdapterErrors.OptionValue(family.Method, name, value, problem);
        }
    }

    private static AdapterOptions OptionsOf(AdapterFamilyEntry family, AdapterOptions options)
    {
        var own = options.Options.Where(pair => family.Options.Any(option => option.Name == pair.Key));
        return options with
        {
            Method = family.Method,
            Targets = TargetsOf(family.Targets, options.Targets),
            Options = own.ToDictionary(StringComparer.Ordinal),
        };
    }

    // A family with places of its own is counted at these where the targets are words of others, and so is one that trains parameters.
    private static IReadOnlyList<string>? TargetsOf(FamilyTargets places, IReadOnlyList<string>? targets) =>
        places == FamilyTargets.LinearLayers || (!places.AreParameters && targets?.All(places.Has) == true) ? targets : null;

    private static MethodRow RowOf(Func<AdapterOptions, AdapterPlan> planOf, AdapterOptions options, LortaCatalog catalog)
    {
        var family = catalog.Create(options);
        var (plan, reason) = Planned(planOf, options);
        var isFoldable = plan is not null && FoldGraph.IsPossible(plan);
        return new MethodRow(
            options.Method,
            plan?.Trainable,
            isFoldable,
            reason ?? (isFoldable ? null : AdapterErrors.NotFoldable(options.Method).Message),
            family.Formula,
            [
                .. RanksOfThePaper.Append(options.Rank).Distinct().Order().Select(rank =>
                    new RankCount(rank, Planned(planOf, options with { Rank = rank }).Plan?.Trainable)),
            ],
            family.Remark,
            family is Lorta
                ? [.. Lorta.Share.Values.Select(share => ShareOf(planOf, options, share)).OfType<ShareRow>()]
                : []);
    }

    // A family that does not take these targets or this architecture has no number, and says why.
    private static (AdapterPlan? Plan, string? Reason) Planned(Func<AdapterOptions, AdapterPlan> planOf, AdapterOptions options)
    {
        try
        {
            return (planOf(options), null);
        }
        catch (LortaException e)
        {
            return (null, e.Message);
        }
    }

    // The saving is that of one tensor of rank 1 over all four matrices against LoRA's 2·d for one matrix, which is what agrees with the
    // paper's 47.6 %; the formulas printed in its Table 4 divide by 2·d·r.
    private static ShareRow? ShareOf(Func<AdapterOptions, AdapterPlan> planOf, AdapterOptions options, string share)
    {
        options = options with
        {
            Options = new Dictionary<string, string>(options.Options, StringComparer.Ordinal) { [Lorta.Share.Name] = share },
        };
        var whole = options with { Rank = 1, Targets = ["attention"], Layers = LayerChoice.All };
        if (Planned(planOf, options).Plan is not { } plan) return null;
        if (Planned(planOf, whole).Plan is not { } one) return null;
        var tensors = one.Factors.Count(factor => factor.EndsWith("A"));
        return new ShareRow(share, plan.Trainable, 1 - (one.Trainable / (double)tensors / (2 * one.Architecture.Hidden)));
    }
}

/// <summary>A family at the sizes of a model.</summary>
/// <param name="Method">Its name.</param>
/// <param name="Trainable">How many numbers it trains at the rank that was asked for; null where it cannot be counted.</param>
/// <param name="Foldable">Whether it folds into the weights.</param>
/// <param name="Reason">Why it cannot be counted or folded; null where it can.</param>
/// <param name="Formula">What it does to a layer.</param>
/// <param name="Counts">How many numbers it trains at the ranks of the paper's Table 1 and at that asked for.</param>
/// <param name="Remark">What its count must be read with; null = nothing.</param>
/// <param name="Shares">What one tensor of LoRTA may span (paper, Table 4); empty for other families.</param>
public sealed record MethodRow(
    string Method,
    long? Trainable,
    bool Foldable,
    string? Reason,
    string Formula,
    IReadOnlyList<RankCount> Counts,
    string? Remark,
    IReadOnlyList<ShareRow> Shares);

/// <summary>How much a family trains at a rank.</summary>
/// <param name="Rank">The rank.</param>
/// <param name="Trainable">Numbers; null where the family does not take this rank.</param>
public sealed record RankCount(int Rank, long? Trainable);

/// <summary>LoRTA with one of its ways of sharing.</summary>
/// <param name="Share">What one tensor spans.</param>
/// <param name="Trainable">How many numbers it trains at the rank and the targets that were asked for.</param>
/// <param name="Saving">The share of LoRA's numbers that it saves at equal tensor rank with q, k, v and p, from 0 to 1.</param>
public sealed record ShareRow(string Share, long Trainable, double Saving);
