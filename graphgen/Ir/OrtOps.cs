namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>The operators of ONNX Runtime's own set that are read or written here, each by its one name: <see cref="Node.Op"/>.
/// Those of ONNX's set go by their plain names.</summary>
internal static class OrtOps
{
    public const string Domain = "com.microsoft";

    public const string Attention = $"{Domain}::Attention";
    public const string QAttention = $"{Domain}::QAttention";
    public const string MultiHeadAttention = $"{Domain}::MultiHeadAttention";
    public const string GroupQueryAttention = $"{Domain}::GroupQueryAttention";
    public const string RotaryEmbedding = $"{Domain}::RotaryEmbedding";
    public const string Gelu = $"{Domain}::Gelu";
    public const string FastGelu = $"{Domain}::FastGelu";
    public const string QuickGelu = $"{Domain}::QuickGelu";
    public const string BiasGelu = $"{Domain}::BiasGelu";
    public const string FusedGemm = $"{Domain}::FusedGemm";
    public const string FusedMatMul = $"{Domain}::FusedMatMul";
    public const string Moe = $"{Domain}::MoE";
    public const string QMoe = $"{Domain}::QMoE";
    public const string MatMulNBits = $"{Domain}::MatMulNBits";
    public const string GatherBlockQuantized = $"{Domain}::GatherBlockQuantized";
    public const string SkipLayerNormalization = $"{Domain}::SkipLayerNormalization";
    public const string SkipSimplifiedLayerNormalization = $"{Domain}::SkipSimplifiedLayerNormalization";
    public const string EmbedLayerNormalization = $"{Domain}::EmbedLayerNormalization";
    public const string QuantizeLinear = $"{Domain}::QuantizeLinear";
    public const string DequantizeLinear = $"{Domain}::DequantizeLinear";
    public const string DynamicQuantizeMatMul = $"{Domain}::DynamicQuantizeMatMul";
    public const string MatMulIntegerToFloat = $"{Domain}::MatMulIntegerToFloat";
    public const string QGemm = $"{Domain}::QGemm";
    public const string QLinearMatMul = $"{Domain}::QLinearMatMul";
    public const string QLinearConcat = $"{Domain}::QLinearConcat";
    public const string QLinearWhere = $"{Domain}::QLinearWhere";
    public const string MatMulBnb4 = $"{Domain}::MatMulBnb4";
    public const string ExpandDims = $"{Domain}::ExpandDims";
    public const string BiasSoftmax = $"{Domain}::BiasSoftmax";
    public const string BiasDropout = $"{Domain}::BiasDropout";
    public const string BitmaskDropout = $"{Domain}::BitmaskDropout";
    public const string SimplifiedLayerNormalization = $"{Domain}::SimplifiedLayerNormalization";
    public const string QLinearSigmoid = $"{Domain}::QLinearSigmoid";
    public const string QLinearLeakyRelu = $"{Domain}::QLinearLeakyRelu";
    public const string QLinearSoftmax = $"{Domain}::QLinearSoftmax";
    public const string QLinearAdd = $"{Domain}::QLinearAdd";
    public const string QLinearMul = $"{Domain}::QLinearMul";
}
