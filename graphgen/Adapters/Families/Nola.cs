using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>NOLA: ΔW = (α/r)·(Σ aᵢ·Aᵢ)·(Σ bⱼ·Bⱼ)ᵀ with k random bases for either side that all sites share and that stay as they are; each
/// site trains its coefficients a and b, [k].</summary>
internal sealed class Nola(AdapterOptions options) : IAdapterFamily
{
    private static readonly FamilyOption Bases = FamilyOption.Integer("bases", "Random bases of either side.", byDefault: 64);

    private static readonly FamilyOption Offset =
        FamilyOption.Flag("a0", "Whether a random A0 that stays as it is is added to the combination of the bases of A.");

    /// <summary>How many bases, and the authors' form for language models, A0 + Σ aᵢ·Aᵢ.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Bases, Offset, AdapterOptions.RankStabilised];

    public string Method => "nola";

    public string Formula => "ΔW = (α/r)·(Σ aᵢ·Aᵢ)·(Σ bⱼ·Bⱼ)ᵀ; the bases Aᵢ, Bⱼ are random, shared and frozen";

    public double Scale => options.Scale;

    public bool SharesRank => true;

    /// <summary>b starts at zero. So does a beside A0; without it a starts at 1/√k, as otherwise no gradient would ever reach b.</summary>
    public IReadOnlyList<Factor> Factors(AdapterSites sites)
    {
        var (k, r) = (options.IntegerOf(Bases), options.Rank);
        var (onA, onB) = (Init.Uniform(1 / Math.Sqrt(sites.MaxIn)), Init.Uniform(1 / Math.Sqrt(r)));
        var a = options.IsOn(Offset) ? Init.Zero : Init.Constant(1 / Math.Sqrt(k));
        return
        [
            new("A", [k, sites.MaxIn, r], onA, IsTrained: false),
            new("B", [k, sites.MaxOut, r], onB, IsTrained: false),
            .. options.IsOn(Offset) ? [new("A0", [sites.MaxIn, r], onA, IsTrained: false)] : Array.Empty<Factor>(),
            .. sites.All.SelectMany(site => new Factor[] { new($"{site.Key}.a", [k], a), new($"{site.Key}.b", [k], Init.Zero) })
                .Select(coefficients => coefficients with { GradcheckDeviation = 1 / Math.Sqrt(k) }),
        ];
    }

    /// <summary>ΔW = s·(A0 + Σ aᵢ·Aᵢ)·(Σ bⱼ·Bⱼ)ᵀ. The bases are combined first, so that what meets the tokens is one pair.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f)
    {
        var a = Combined(f["A"], f[site, "a"], site.In);
        if (options.IsOn(Offset)) a += f.Leading("A0", site.In);
        return (a * f.ScaleOf(site), Combined(f["B"], f[site, "b"], site.Out));
    }

    // Σ cᵢ·Fᵢ as a product with the bases as rows, [1, k]·[k, rows·r]; a smaller site takes the leading rows of the sum.
    private Expr Combined(Expr bases, Expr coefficients, int rows) =>
        coefficients.Unsqueeze(0).MatMul(bases.Reshape(options.IntegerOf(Bases), -1)).Reshape(-1, options.Rank).Leading(rows, axis: 0);
}
