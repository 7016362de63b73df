using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>LoRTA: ΔW[:, :, h, l, m] = (α/r)·A·diag(C_H[h]∘C_L[l]∘C_M[m])·Bᵀ, one rank-r CP tensor for the whole network (paper, eq. 3).</summary>
internal sealed class Lorta(AdapterOptions options) : IAdapterFamily
{
    public string Method => "lorta";

    public double Scale => options.Scale;

    /// <summary>The paper's way by default; <c>orientation: input-heads</c> and <c>p: output-heads</c> are those of the authors' two forks.</summary>
    public Orientation OrientationOf(string matrix)
    {
        if (options.Choice("orientation", "output-heads", "input-heads") == "input-heads") return Orientation.InputHeads;
        return matrix == "p" && options.Choice("p", "input-heads", "output-heads") == "input-heads" ? Orientation.InputHeads : Orientation.OutputHeads;
    }

    public IReadOnlyList<Factor> Factors(AdapterSites sites)
    {
        foreach (var site in sites.All) CheckOrientation(site, sites);
        var r = options.Rank;
        var modes = Math.Sqrt(6.0 / r);   // the authors' Kaiming bound: fan-in r, gain √2
        var (official, zero) = (options.Choice("init", "default", "official") == "official", options.Choice("zero", "B", "A", "C_H", "C_L", "C_M"));
        Factor[] factors =
        [
            new("A", [sites.Width, r], official ? Init.Uniform(1 / Math.Sqrt(r)) : Init.Normal(1 / Math.Sqrt(sites.Width))),
            new("B", [sites.HeadWidth, r], Init.Normal(1)),
            new("C_H", [sites.Heads, r], official ? Init.Uniform(modes) : Init.Normal(1)),
            new("C_L", [sites.Layers.Count, r], official ? Init.Uniform(modes) : Init.Normal(1)),
            new("C_M", [sites.Targets.Count, r], official ? Init.Uniform(modes) : Init.Normal(1)),
        ];
        return [.. factors.Select(factor => factor.Name == zero ? factor with { Init = Init.Zero } : factor)];   // ΔW = 0 at first, its gradient not
    }

    /// <summary>y + ((x·down)∘s)·upᵀ. Forms nothing of size [in, out]; the backward pass keeps x·down, [N, r].</summary>
    public Expr Emit(AdapterSite site, Expr x, Expr y, FactorSet f)
    {
        var (down, up) = Sides(site, f);
        return y + (x.MatMul(down) * Strength(site, f)).MatMul(up.T);
    }

    /// <summary>ΔW = (down∘s)·upᵀ, [in, out].</summary>
    public Expr? Delta(AdapterSite site, FactorSet f)
    {
        var (down, up) = Sides(site, f);
        return (down * Strength(site, f)).MatMul(up.T);
    }

    private static void CheckOrientation(AdapterSite site, AdapterSites sites)
    {
        var (narrow, wide) = site.Orientation is Orientation.InputHeads ? (site.Out, site.In) : (site.In, site.Out);
        if (narrow != sites.Width || wide != site.HeadMap.Count * sites.HeadWidth)
            throw AdapterErrors.OrientationDoesNotFit(site.Address, site.Orientation, (site.In, site.Out), sites);
    }

    // A belongs to the side of the model width, KhatriRao(C_H, B) to the side of the concatenated heads.
    private static (Expr Down, Expr Up) Sides(AdapterSite site, FactorSet f)
    {
        var rows = site.HeadMap.Select((row, head) => row == head).All(same => same) && site.HeadMap.Count == f["C_H"].Shape[0].Value
            ? f["C_H"]
            : f["C_H"].Take(site.HeadMap);
        var heads = rows.KhatriRao(f["B"]);                                           // [heads·d_H, r]
        return site.Orientation is Orientation.OutputHeads ? (f["A"], heads) : (heads, f["A"]);
    }

    private static Expr Strength(AdapterSite site, FactorSet f) =>                    // [r]
        f.Scale * f["C_L"].Row(site.LayerRow) * f["C_M"].Row(site.MatrixRow);
}
