using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>FacT-TK: ΔW = (α/r)·U·(Σₖ P[site, k]·C[k])·Vᵀ; everything is shared, a site is a row of P [sites, r].</summary>
internal sealed class FactTk(AdapterOptions options) : CoreFamily(options, "U", "V")
{
    public override string Method => "fact_tk";

    /// <summary>The bounds are the authors': that of P is Xavier's.</summary>
    public override IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. FactTt.Sides(sites, Rank),
        new("P", [sites.All.Count, Rank], Init.Uniform(Math.Sqrt(6.0 / (Rank + sites.All.Count)))),
        new("C", [Rank, Rank, Rank], Init.Uniform(Math.Sqrt(3) / Rank)),
    ];

    protected override Expr Core(AdapterSite site, FactorSet f) =>
        f["P"].Row(f.Sites.IndexOf(site)).Unsqueeze(0).MatMul(f["C"].Reshape(Rank, -1)).Reshape(Rank, Rank);
}
