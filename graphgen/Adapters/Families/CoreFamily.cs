using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>Families of the form ΔW = s·U·K·Vᵀ: U [in, r] and V [out, r] are shared by all sites, the core K [r, r] differs.</summary>
/// <param name="options">Options of the adapter.</param>
/// <param name="left">Name of U.</param>
/// <param name="right">Name of V.</param>
internal abstract class CoreFamily(AdapterOptions options, string left, string right) : IAdapterFamily
{
    public abstract string Method { get; }

    public double Scale => options.Scale;

    public bool SharesRank => true;

    protected int Rank => options.Rank;

    public abstract IReadOnlyList<Factor> Factors(AdapterSites sites);

    /// <summary>ΔW = (U·(s·K))·Vᵀ; the scale multiplies the smallest of the three.</summary>
    public (Expr A, Expr B)? AsLora(AdapterSite site, FactorSet f) =>
        (f.Leading(left, site.In).MatMul(Core(site, f) * f.ScaleOf(site)), f.Leading(right, site.Out));

    /// <summary>K of a site, [r, r].</summary>
    protected abstract Expr Core(AdapterSite site, FactorSet f);
}
