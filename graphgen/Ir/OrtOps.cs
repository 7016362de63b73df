using System.Diagnostics.CodeAnalysis;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>The operators of ONNX Runtime's own set that are read or written here, each by its one name: <see cref="Node.Op"/>.
/// Those of ONNX's set go by their plain names.</summary>
[Experimental(Unsettled.Id)]
public static class OrtOps
{
    /// <summary>The name of the set.</summary>
    public const string Domain = "com.microsoft";

    internal const string Attention = $"{Domain}::Attention";
    internal const string QAttention = $"{Domain}::QAttention";
    internal const string MultiHeadAttention = $"{Domain}::MultiHeadAttention";
    /// <summary>The operator <c>GroupQueryAttention</c>.</summary>
    public const string GroupQueryAttention = $"{Domain}::GroupQueryAttention";
    internal const string RotaryEmbedding = $"{Domain}::RotaryEmbedding";
    internal const string Gelu = $"{Domain}::Gelu";
    internal const string FastGelu = $"{Domain}::FastGelu";
    internal const string QuickGelu = $"{Domain}::QuickGelu";
    internal const string BiasGelu = $"{Domain}::BiasGelu";
    internal const string FusedGemm = $"{Domain}::FusedGemm";
    /// <summary>The operator <c>FusedMatMul</c>.</summary>
    public const string FusedMatMul = $"{Domain}::FusedMatMul";
    internal const string Moe = $"{Domain}::MoE";
    internal const string QMoe = $"{Domain}::QMoE";
    /// <summary>The operator <c>MatMulNBits</c>.</summary>
    public const string MatMulNBits = $"{Domain}::MatMulNBits";
    internal const string GatherBlockQuantized = $"{Domain}::GatherBlockQuantized";
    internal const string SkipLayerNormalization = $"{Domain}::SkipLayerNormalization";
    internal const string SkipSimplifiedLayerNormalization = $"{Domain}::SkipSimplifiedLayerNormalization";
    internal const string EmbedLayerNormalization = $"{Domain}::EmbedLayerNormalization";
    internal const string QuantizeLinear = $"{Domain}::QuantizeLinear";
    internal const string DequantizeLinear = $"{Domain}::DequantizeLinear";
    internal const string DynamicQuantizeMatMul = $"{Domain}::DynamicQuantizeMatMul";
    internal const string MatMulIntegerToFloat = $"{Domain}::MatMulIntegerToFloat";
    internal const string QGemm = $"{Domain}::QGemm";
    internal const string QLinearMatMul = $"{Domain}::QLinearMatMul";
    internal const string QLinearConcat = $"{Domain}::QLinearConcat";
    internal const string QLinearWhere = $"{Domain}::QLinearWhere";
    internal const string MatMulBnb4 = $"{Domain}::MatMulBnb4";
    internal const string ExpandDims = $"{Domain}::ExpandDims";
    internal const string BiasSoftmax = $"{Domain}::BiasSoftmax";
    internal const string BiasDropout = $"{Domain}::BiasDropout";
    internal const string BitmaskDropout = $"{Domain}::BitmaskDropout";
    internal const string SimplifiedLayerNormalization = $"{Domain}::SimplifiedLayerNormalization";
    internal const string QLinearSigmoid = $"{Domain}::QLinearSigmoid";
    internal const string QLinearLeakyRelu = $"{Domain}::QLinearLeakyRelu";
    internal const string QLinearSoftmax = $"{Domain}::QLinearSoftmax";
    internal const string QLinearAdd = $"{Domain}::QLinearAdd";
    internal const string QLinearMul = $"{Domain}::QLinearMul";
}
