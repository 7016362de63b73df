using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>LoRTA: ΔW[:, :, h, l, m] = (α/r)·A·diag(C_H[h]∘C_L[l]∘C_M[m])·Bᵀ, one rank-r CP tensor for the whole network (paper, eq.
/// 3).</summary>
internal sealed class Lorta(AdapterOptions options) : IAdapterFamily
{
    private static readonly FamilyOption Zero =
        new("zero", "The factor that starts at zero, so that training starts at the base model.", "B", "A", "C_H", "C_L", "C_M");

    private static readonly FamilyOption Initial = new("init", "First values: this project's, or the authors'.", "default", "official");

    private static readonly FamilyOption Side =
        new("orientation", "Which side of Q, K and V is split by heads.", "output-heads", "input-heads");

    private static readonly FamilyOption SideOfP = new("p", "The same of the output projection.", "input-heads", "output-heads");

    /// <summary>What one tensor spans.</summary>
    internal static readonly FamilyOption Share = new(
        "share",
        "What one tensor spans: all of the network, the heads and matrices of a layer, or the heads of a matrix.",
        "heads-matrices-layers",
        "heads-matrices",
        "heads");

    /// <summary>The paper's way by default; <c>orientation: input-heads</c> and <c>p: output-heads</c> are those of the authors' two
    /// forks.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Zero, Initial, Side, SideOfP, Share, AdapterOptions.RankStabilised];

    public string Method => "lorta";

    public string Formula =>
        "ΔW = (α/r)·A·diag(C_H[h]∘C_L[l]∘C_M[m])·Bᵀ for head h of matrix m in layer l; all factors are shared";

    public double Scale => options.Scale;

    public bool SharesRank => true;

    /// <summary>Which side of a matrix is split by heads.</summary>
    /// <remarks>The paper's P_h is [d, d_H]: heads split the input of the output projection and the output of the others.</remarks>
    public Orientation OrientationOf(string matrix)
    {
        if (options.Heads.Orientations.TryGetValue(matrix, out var stated)) return stated;
        return options.ValueOf(Side) == "input-heads" || (matrix == "p" && options.ValueOf(SideOfP) == "input-heads")
            ? Orientation.InputHeads
            : Orientation.OutputHeads;
    }

    /// <summary>The row of C_H that each head of a matrix takes. Key/value head g serves the query heads from g·H/H_kv on and takes the row
    /// of the first of them.</summary>
    public IReadOnlyList<long> HeadMapOf(AdapterSite site, AdapterSites sites)
    {
        var heads = site.Heads ?? throw AdapterErrors.NoHeads(site.Address, Method);
        if (!options.Heads.HeadMaps.TryGetValue(site.Matrix, out var stated))
            return [.. Enumerable.Range(0, heads).Select(head => (long)(head * sites.Heads / heads))];
        return stated.Count == heads && stated.All(row => row >= 0 && row < sites.Heads)
            ? stated
            : throw AdapterErrors.HeadMapDoesNotFit(site.Matrix, stated, heads, sites.Heads);
    }

    public IReadOnlyList<Factor> Factors(AdapterSites sites)
    {
        foreach (var site in sites.All) CheckOrientation(site, sites);
        // ΔW = 0 at first, its gradient not
        var zero = options.ValueOf(Zero);
        var factors = sites.All.Select(TensorOf).Distinct().SelectMany(tensor => Factors(tensor, sites)).ToList();
        if (!factors.Exists(factor => factor.EndsWith(zero)))
            throw AdapterErrors.InvalidOptions([("options.zero", $"there is no {zero} with share: {options.ValueOf(Share)}")]);
        return [.. factors.Select(factor => factor.EndsWith(zero) ? factor with { Init = Init.Zero } : factor)];
    }

    /// <summary>y + ((x·down)∘s)·upᵀ. Forms nothing of size [in, out]; the backward pass keeps x·down, [N, r].</summary>
    public Expr Emit(AdapterPoint at, FactorSet f)
    {
        var (down, up) = Sides(at.Site, f);
        return at.Y + (at.X.MatMul(down) * Strength(at.Site, f)).MatMul(up.T);
    }

    /// <summary>ΔW = (down∘s)·upᵀ.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f)
    {
        var (down, up) = Sides(site, f);
        return (down * Strength(site, f), up);
    }

    private bool SharesLayers => options.ValueOf(Share) == "heads-matrices-layers";

    private bool SharesMatrices => options.ValueOf(Share) != "heads";

    // What the names of a tensor's factors start with.
    private string TensorOf(AdapterSite site) => SharesLayers ? string.Empty : SharesMatrices ? $"layers.{site.Layer}." : $"{site.Key}.";

    private IEnumerable<Factor> Factors(string tensor, AdapterSites sites)
    {
        var r = options.Rank;
        var isOfficial = options.ValueOf(Initial) == "official";
        var modes = isOfficial ? Init.Uniform(Math.Sqrt(6.0 / r)) : Init.Normal(1);   // the authors' Kaiming bound: fan-in r, gain √2
        yield return new(
            $"{tensor}A", [sites.Width, r], isOfficial ? Init.Uniform(1 / Math.Sqrt(r)) : Init.Normal(1 / Math.Sqrt(sites.Width)));
        yield return new($"{tensor}B", [sites.HeadWidth, r], Init.Normal(1));
        yield return new($"{tensor}C_H", [sites.Heads, r], modes);
        if (SharesLayers) yield return new($"{tensor}C_L", [sites.Layers.Count, r], modes);
        if (SharesMatrices) yield return new($"{tensor}C_M", [sites.Targets.Count, r], modes);
    }

    private void CheckOrientation(AdapterSite site, AdapterSites sites)
    {
        if (site.Heads is null) throw AdapterErrors.NoHeads(site.Address, Method);
        var orientation = OrientationOf(site.Matrix);
        var (narrow, wide) = orientation is Orientation.InputHeads ? (site.Out, site.In) : (site.In, site.Out);
        if (narrow != sites.Width || wide != HeadMapOf(site, sites).Count * sites.HeadWidth)
            throw AdapterErrors.OrientationDoesNotFit(site.Address, orientation, (site.In, site.Out), sites);
    }

    // A belongs to the side of the model width, KhatriRao(C_H, B) to the side of the concatenated heads.
    private (Expr Down, Expr Up) Sides(AdapterSite site, FactorSet f)
    {
        var (map, tensor) = (HeadMapOf(site, f.Sites), TensorOf(site));
        var (side, byHead) = (f[$"{tensor}A"], f[$"{tensor}C_H"]);
        var isWhole = map.Count == byHead.Shape[0].Value && map.Select((row, head) => row == head).All(same => same);
        var rows = isWhole ? byHead : byHead.Take(map);
        var heads = rows.KhatriRao(f[$"{tensor}B"]);                                  // [heads·d_H, r]
        return OrientationOf(site.Matrix) is Orientation.OutputHeads ? (side, heads) : (heads, side);
    }

    private Expr Strength(AdapterSite site, FactorSet f)                              // [r], or the scale alone
    {
        var strength = f.ScaleOf(site);
        if (SharesLayers) strength *= f[$"{TensorOf(site)}C_L"].Row(RowOf(site.Layer, f.Sites.Layers));
        if (SharesMatrices) strength *= f[$"{TensorOf(site)}C_M"].Row(RowOf(site.Target, f.Sites.Targets));
        return strength;
    }

    private static int RowOf<T>(T item, IReadOnlyList<T> adapted) => adapted.Index().First(pair => pair.Item!.Equals(item)).Index;
}

/// <summary>Which side of a matrix is split by heads.</summary>
public enum Orientation
{
    /// <summary>The output: A meets x, (C_H, B) make the concatenated heads of the result.</summary>
    OutputHeads,

    /// <summary>The input: (C_H, B) meet the concatenated heads, A makes the result.</summary>
    InputHeads,
}

/// <summary>What a golden states of the heads; what is absent follows from the options and the model.</summary>
internal sealed record StatedHeads
{
    /// <summary>Orientation per matrix.</summary>
    public IReadOnlyDictionary<string, Orientation> Orientations { get; init; } =
        new Dictionary<string, Orientation>(StringComparer.Ordinal);

    /// <summary>The row of C_H that each head takes, per matrix.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> HeadMaps { get; init; } =
        new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
}
