using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>VeRA: ΔW = (A∘d)·(b∘B)ᵀ with random A [in, r] and B [out, r] that all sites share and that stay as they are; each site trains
/// the vectors d [r] and b [out].</summary>
internal sealed class Vera(AdapterOptions options) : IAdapterFamily
{
    private const double FirstOfD = 0.1;   // as the authors start

    public string Method => "vera";

    public string Formula => "ΔW = (A∘d)·(b∘B)ᵀ; A and B are random, shared and frozen";

    public bool SharesRank => true;

    /// <summary>The bounds are Kaiming's with gain √2.</summary>
    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        new("A", [sites.MaxIn, options.Rank], Init.Uniform(Math.Sqrt(6.0 / sites.MaxIn)), IsTrained: false),
        new("B", [sites.MaxOut, options.Rank], Init.Uniform(Math.Sqrt(6.0 / options.Rank)), IsTrained: false),
        .. sites.All.SelectMany(site => new Factor[]
        {
            new($"{site.Key}.d", [options.Rank], Init.Constant(FirstOfD)),
            new($"{site.Key}.b", [site.Out], Init.Zero),
        }),
    ];

    /// <summary>y + b∘(((x·A)∘d)·Bᵀ): the vectors multiply activations, so that x·A and the product with B meet constants.</summary>
    public Expr Emit(AdapterPoint at, FactorSet f) =>
        at.Y + ((at.X.MatMul(f.Leading("A", at.Site.In)) * Inner(at.Site, f)).MatMul(f.Leading("B", at.Site.Out).T) * f[at.Site, "b"]);

    /// <summary>ΔW = (A∘d)·(b∘B)ᵀ.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) =>
        (f.Leading("A", site.In) * Inner(site, f), f.Leading("B", site.Out) * f[site, "b"].Unsqueeze(1));

    private static Expr Inner(AdapterSite site, FactorSet f) => f[site, "d"] * f.Scale;
}
