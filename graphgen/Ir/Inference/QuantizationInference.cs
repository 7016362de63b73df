namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Operators that go to and from integers of few bits.</summary>
internal static class QuantizationInference
{
    public static readonly InferenceRule[] All =
    [
        new("DynamicQuantizeLinear", f =>
        {
            f.Set(0, ElementType.UInt8, f.Shape(0));
            f.Set(1, ElementType.Float, []);
            f.Set(2, ElementType.UInt8, []);
        }),
        .. InferenceRule.For(f => f.Set(0, f.Has(2) ? f.Type(2) : (ElementType)f.Int("output_dtype", (long)ElementType.UInt8), f.Shape(0)), "QuantizeLinear", OrtOps.QuantizeLinear),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0)), OrtOps.QLinearSigmoid, OrtOps.QLinearLeakyRelu,
            OrtOps.QLinearSoftmax),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Broadcast(0, f.Shape(0), f.Shape(3))), OrtOps.QLinearAdd,
            OrtOps.QLinearMul),
        new(OrtOps.QLinearWhere, f => f.Set(0, f.Type(1), f.Broadcast(0, f.Shape(0), f.Shape(1), f.Shape(4)))),
        .. InferenceRule.For(f => f.Set(0, f.Int("output_dtype", 0) is not 0 and var type ? (ElementType)type : f.Type(1), f.Shape(0)), "DequantizeLinear", OrtOps.DequantizeLinear),
    ];
}
