using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoTR: ΔW = (α/r)·A·G·Bᵀ, A and B shared by all sites, a core G [r, r] for each.</summary>
internal sealed class Lotr(AdapterOptions options) : IAdapterFamily
{
    private static readonly FamilyOption Initial =
        new("init", "First values of A and B: this project's, or the authors' (standard normal).", "default", "official");

    /// <summary>Where A and B start.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Initial, AdapterOptions.RankStabilised];

    private readonly int _rank = options.Rank;
    private readonly bool _official = options.ValueOf(Initial) == "official";

    public string Method => "lotr";

    public string Formula => "ΔW = (α/r)·A·G·Bᵀ; A and B are shared, a core G for each matrix";

    public double Scale => options.Scale;

    public bool SharesRank => true;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        new("A", [sites.MaxIn, _rank], Init.Normal(_official ? 1 : 1 / Math.Sqrt(sites.MaxIn))),
        new("B", [sites.MaxOut, _rank], Init.Normal(_official ? 1 : 1 / Math.Sqrt(_rank))),
        .. sites.All.Select(site => new Factor($"{site.Key}.G", [_rank, _rank], Init.Zero)),
    ];

    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) => CoreProduct.AsLora(site, f, f[site, "G"], left: "A", right: "B");
}
