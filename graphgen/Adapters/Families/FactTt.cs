using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>FacT-TT: ΔW = (α/r)·U·S·Vᵀ, U and V shared by all sites, a core S [r, r] for each.</summary>
internal sealed class FactTt(AdapterOptions options) : CoreFamily(options, "U", "V")
{
    public override string Method => "fact_tt";

    public override IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. Sides(sites, Rank),
        .. sites.All.Select(site => new Factor($"{site.Key}.S", [Rank, Rank], Init.Uniform(1 / Math.Sqrt(Rank)))),
    ];

    /// <summary>U and V of both forms of FacT, as the authors start them.</summary>
    internal static IEnumerable<Factor> Sides(AdapterSites sites, int rank) =>
    [
        new("U", [sites.MaxIn, rank], Init.Uniform(1 / Math.Sqrt(sites.MaxIn))),
        new("V", [sites.MaxOut, rank], Init.Zero),
    ];

    protected override Expr Core(AdapterSite site, FactorSet f) => f[site, "S"];
}
