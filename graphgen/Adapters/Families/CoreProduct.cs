using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Adapters.Families;

/// <summary>The product of LoTR and both FacTs: ΔW = s·U·K·Vᵀ with U [in, r] and V [out, r] that all sites share, and a core K [r, r] for
/// each.</summary>
internal static class CoreProduct
{
    /// <summary>ΔW = (U·(s·K))·Vᵀ; the scale multiplies the smallest of the three.</summary>
    public static (Expr A, Expr B) AsLora(AdapterSite site, FactorSet f, Expr core, string left = "U", string right = "V") =>
        (f.Leading(left, site.In).MatMul(core * f.ScaleOf(site)), f.Leading(right, site.Out));
}
