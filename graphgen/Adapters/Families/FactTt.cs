using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>FacT-TT: ΔW = (α/r)·U·S·Vᵀ, U and V shared by all sites, a core S [r, r] for each.</summary>
internal sealed class FactTt(AdapterOptions options) : IAdapterFamily
{
    private readonly int _rank = options.Rank;

    public string Method => "fact_tt";

    public string Formula => "ΔW = (α/r)·U·S·Vᵀ; U and V are shared, a core S for each matrix";

    public double Scale => options.Scale;

    public bool SharesRank => true;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. Sides(sites, _rank),
        .. sites.All.Select(site => new Factor($"{site.Key}.S", [_rank, _rank], Init.Uniform(1 / Math.Sqrt(_rank)))),
    ];

    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) => CoreProduct.AsLora(site, f, f[site, "S"]);

    /// <summary>U and V of both forms of FacT, as the authors start them.</summary>
    internal static IEnumerable<Factor> Sides(AdapterSites sites, int rank) =>
    [
        new("U", [sites.MaxIn, rank], Init.Uniform(1 / Math.Sqrt(sites.MaxIn))),
        new("V", [sites.MaxOut, rank], Init.Zero),
    ];
}
