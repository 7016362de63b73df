using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoRA: ΔW = (α/r)·A·Bᵀ with a pair A [in, r], B [out, r] of its own for each matrix.</summary>
internal sealed class Lora(AdapterOptions options) : IAdapterFamily
{
    public string Method => "lora";

    public string Formula => "ΔW = (α/r)·A·Bᵀ, a pair for each matrix";

    public double Scale => options.Scale;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. sites.All.SelectMany(site => new Factor[]
        {
            new($"{site.Key}.A", [site.In, site.Rank], Init.Uniform(1 / Math.Sqrt(site.In))),
            new($"{site.Key}.B", [site.Out, site.Rank], Init.Zero),
        }),
    ];

    /// <summary>y + s·(x·A)·Bᵀ; the scale multiplies the narrow product.</summary>
    public Expr Emit(AdapterPoint at, FactorSet f) =>
        at.Y + (at.X.MatMul(f[at.Site, "A"]) * f.ScaleOf(at.Site)).MatMul(f[at.Site, "B"].T);

    /// <summary>ΔW = (s·A)·Bᵀ.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) => (f[site, "A"] * f.ScaleOf(site), f[site, "B"]);
}
