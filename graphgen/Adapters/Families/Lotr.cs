using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoTR: ΔW = (α/r)·A·G·Bᵀ, A and B shared by all sites, a core G [r, r] for each.</summary>
internal sealed class Lotr(AdapterOptions options) : CoreFamily(options, "A", "B")
{
    private static readonly FamilyOption Initial =
        new("init", "First values of A and B: this project's, or the authors' (standard normal).", "default", "official");

    /// <summary>Where A and B start.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Initial, AdapterOptions.RankStabilised];

    private readonly bool _official = options.ValueOf(Initial) == "official";

    public override string Method => "lotr";

    public override IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        new("A", [sites.MaxIn, Rank], Init.Normal(_official ? 1 : 1 / Math.Sqrt(sites.MaxIn))),
        new("B", [sites.MaxOut, Rank], Init.Normal(_official ? 1 : 1 / Math.Sqrt(Rank))),
        .. sites.All.Select(site => new Factor($"{site.Key}.G", [Rank, Rank], Init.Zero)),
    ];

    protected override Expr Core(AdapterSite site, FactorSet f) => f[site, "G"];
}
