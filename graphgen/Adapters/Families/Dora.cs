using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>DoRA: y' = b + (m/n)∘(x·V) with V = W + (α/r)·A·Bᵀ and n = ‖V‖ of each output, which counts as constant: the magnitudes m and
/// the directions of the outputs are trained apart (Liu et al. 2024).</summary>
internal sealed class Dora(AdapterOptions options) : IAdapterFamily
{
    private const double LeastSquare = 1e-24;   // of n: an output without weights stays what it is

    public string Method => "dora";

    public string Formula => "W' = V·diag(m/‖V‖) with V = W + (α/r)·A·Bᵀ: the norm of each output becomes m";

    public double Scale => options.Scale;

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. sites.All.SelectMany(site => new Factor[]
        {
            new($"{site.Key}.A", [site.In, site.Rank], Init.Uniform(1 / Math.Sqrt(site.In))),
            new($"{site.Key}.B", [site.Out, site.Rank], Init.Zero),
            new($"{site.Key}.m", [site.Out], Init.ColumnNorms(site)),
        }),
    ];

    /// <summary>y + t·(y' − y) = y∘(1 + d) − b∘d + (x·A)·(e∘B)ᵀ; nothing of size [in, out] is formed.</summary>
    public Expr Emit(AdapterPoint at, FactorSet f)
    {
        var (d, e) = Gains(at.Site, f, at.ColumnNorms * at.ColumnNorms, at.Apply(f[at.Site, "A"].T).T);
        var y = (at.Y * (1 + d)) + at.X.MatMul(Down(at.Site, f)).MatMul((f[at.Site, "B"] * e.Unsqueeze(1)).T);
        return at.Bias is { } bias ? y - (bias * d) : y;
    }

    /// <summary>W' = W∘(1 + d) + A·(e∘B)ᵀ; the bias stays.</summary>
    public (Expr Weight, Expr? Bias)? Fold(AdapterSite site, Expr weight, Expr? bias, FactorSet f)
    {
        var (d, e) = Gains(site, f, (weight * weight).Sum(0).Reshape(-1), weight.T.MatMul(f[site, "A"]));
        return ((weight * (1 + d)) + Down(site, f).MatMul((f[site, "B"] * e.Unsqueeze(1)).T), bias);
    }

    // s·A, [in, r]. The adapter is switched by t: s itself stays.
    private Expr Down(AdapterSite site, FactorSet f) => f[site, "A"].Scaled(options.Scale * site.Strength);

    // d = t·(c − 1) and e = t·c, [out], with c = m/n and n² = ‖W‖² + rowsum((2·WᵀA + B·(AᵀA))∘B), s within A.
    private (Expr D, Expr E) Gains(AdapterSite site, FactorSet f, Expr squares, Expr weightTimesA)
    {
        var (a, b) = (Down(site, f), f[site, "B"]);
        var change = (weightTimesA.Scaled(2 * options.Scale * site.Strength) + b.MatMul(a.T.MatMul(a))) * b;
        var n = (squares + change.Sum(1).Reshape(-1)).AtLeast(LeastSquare).Sqrt().Detached();
        var d = f.Switch * ((f[site, "m"] / n) - 1);
        return (d, d + f.Switch);
    }
}
