using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>FacT-TK: ΔW = (α/r)·U·(Σₖ P[site, k]·C[k])·Vᵀ; everything is shared, a site is a row of P [sites, r].</summary>
internal sealed class FactTk(AdapterOptions options) : IAdapterFamily
{
    private readonly int _rank = options.Rank;

    public string Method => "fact_tk";

    public string Formula => "ΔW = (α/r)·U·(Σₖ P[i, k]·C[k])·Vᵀ; all factors are shared, matrix i is a row of P";

    public double Scale => options.Scale;

    public bool SharesRank => true;

    /// <summary>The bounds are the authors': that of P is Xavier's.</summary>
    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. FactTt.Sides(sites, _rank),
        new("P", [sites.All.Count, _rank], Init.Uniform(Math.Sqrt(6.0 / (_rank + sites.All.Count)))),
        new("C", [_rank, _rank, _rank], Init.Uniform(Math.Sqrt(3) / _rank)),
    ];

    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) =>
        CoreProduct.AsLora(
            site,
            f,
            f["P"].Row(f.Sites.IndexOf(site)).Unsqueeze(0).MatMul(f["C"].Reshape(_rank, -1)).Reshape(_rank, _rank));
}
