using LoRTA.Onnx.GraphGen.Adapters.Families;

namespace LoRTA.Onnx.GraphGen.Adapters.Planning;

/// <summary>What adapters of one model have in common where one graph computes with the numbers of any of them.</summary>
internal static class AdapterShape
{
    /// <summary>What keeps the graph of one adapter from computing with the numbers of another; null = nothing does. α may differ where
    /// it makes the scale alone, which is an input.</summary>
    /// <param name="plan">The adapter of the graph.</param>
    /// <param name="other">The other one.</param>
    /// <param name="catalog">Families, which state the defaults of their options.</param>
    public static string? Difference(AdapterPlan plan, AdapterPlan other, LortaCatalog catalog) =>
        Facts(plan, catalog).Zip(Facts(other, catalog), (here, there) => here == there ? null : $"{there}, not {here}")
            .FirstOrDefault(difference => difference is not null);

    // The first that differs tells the reason: those that follow may not be comparable.
    private static IEnumerable<string> Facts(AdapterPlan plan, LortaCatalog catalog)
    {
        yield return $"method {plan.Options.Method}";
        yield return $"targets {string.Join(", ", plan.Sites.Targets)}";
        yield return $"layers {string.Join(", ", plan.Sites.Layers)}";
        if (plan.Family.HasRank) yield return $"rank {plan.Options.Rank}";
        foreach (var site in plan.Sites.All) yield return Fact(site, plan.Family.HasRank);
        foreach (var option in catalog.FamilyOf(plan.Options.Method)!.Options)
            yield return $"option {option.Name}: {plan.Options.ValueOf(option)}";
        foreach (var factor in plan.Factors) yield return $"factor {factor.Name} [{string.Join(", ", factor.Dims)}]";
    }

    private static string Fact(AdapterSite site, bool hasRank) => hasRank
        ? FormattableString.Invariant($"{site.Address} of rank {site.Rank} and {site.Strength} times the scale")
        : site.Address;
}
