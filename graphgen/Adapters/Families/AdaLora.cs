using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>AdaLoRA: ΔW = (α/(r + 10⁻⁵))·A·diag(E)·Bᵀ with A [in, r], E [r] and B [out, r] for each matrix. A penalty keeps A and B near
/// orthonormal columns; with a target rank, <see cref="RankAllocator"/> leaves the most important triplets of the network.</summary>
internal sealed class AdaLora(AdapterOptions options) : IAdapterFamily
{
    private const double Deviation = 0.02;      // of the first values of A and B, as the authors start
    private const double ScaleEpsilon = 1e-5;   // the authors divide by a rank that may be 0
    private const double LeastSquare = 1e-30;   // the root has no slope at 0

    private static readonly FamilyOption Orthogonality =
        FamilyOption.Number("orthogonality", "Weight γ of the penalty that keeps the columns of A and B orthonormal.", byDefault: 0.5);

    private readonly RankAllocation? _allocation = RankAllocation.Of(options);

    /// <summary>The penalty's weight, and how ranks are allocated.</summary>
    public static IReadOnlyList<FamilyOption> Options { get; } = [Orthogonality, .. RankAllocation.Options];

    public string Method => "adalora";

    public string Formula => "ΔW = (α/r)·A·diag(E)·Bᵀ; ranks move to the matrices that need them";

    public double Scale => options.Alpha / (options.Rank + ScaleEpsilon);

    public IReadOnlyList<Factor> Factors(AdapterSites sites) =>
    [
        .. sites.All.SelectMany(site => new Factor[]
        {
            new($"{site.Key}.A", [site.In, site.Rank], Init.Normal(Deviation)),
            new($"{site.Key}.E", [site.Rank], Init.Zero),
            new($"{site.Key}.B", [site.Out, site.Rank], Init.Normal(Deviation)),
        }),
    ];

    /// <summary>y + ((x·A)∘(s·E))·Bᵀ.</summary>
    public Expr Emit(AdapterPoint at, FactorSet f) =>
        at.Y + (at.X.MatMul(f[at.Site, "A"]) * Diagonal(at.Site, f)).MatMul(f[at.Site, "B"].T);

    /// <summary>ΔW = (A∘(s·E))·Bᵀ.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) => (f[site, "A"] * Diagonal(site, f), f[site, "B"]);

    /// <summary>γ · the mean over all A and B of ‖FᵀF − I‖.</summary>
    public Expr? Penalty(AdapterSites sites, FactorSet f)
    {
        var weight = options.NumberOf(Orthogonality);
        if (weight == 0) return null;
        Expr[] squares = [.. sites.All.SelectMany(site => new[] { SquaredDistance(f[site, "A"]), SquaredDistance(f[site, "B"]) })];
        var guarded = Expr.Concat(0, squares).Apply("Max", f.Scale.Tape.Scalar(LeastSquare, ElementType.Float));
        return guarded.Sqrt().Total() * (weight / squares.Length);
    }

    public IAfterStep? AfterStep(AdapterSites sites, long totalSteps) =>
        _allocation is null ? null : new RankAllocator(sites.All, _allocation.Over(sites.All, totalSteps));

    private static Expr Diagonal(AdapterSite site, FactorSet f) => f[site, "E"] * f.ScaleOf(site);

    // ‖FᵀF − I‖², [1, 1].
    private static Expr SquaredDistance(Expr factor)
    {
        var difference = factor.T.MatMul(factor) - factor.Tape.Constant(Identity((int)factor.Shape[1].Value!));
        return (difference * difference).Sum(0, 1);
    }

    private static OnnxTensor Identity(int size)
    {
        var values = new float[size * size];
        for (var i = 0; i < size; i++) values[(i * size) + i] = 1;
        return OnnxTensor.Of<float>([size, size], values);
    }
}
