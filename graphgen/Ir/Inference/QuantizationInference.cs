namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Operators that go to and from low-bit integers.</summary>
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
        .. InferenceRule.For(
            f => f.Set(0, f.Has(2) ? f.Type(2) : (ElementType)f.Int("output_dtype", (long)ElementType.UInt8), f.Shape(0)),
            "QuantizeLinear",
            OrtOps.QuantizeLinear),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0)), OrtOps.QLinearSigmoid, OrtOps.QLinearLeakyRelu,
            OrtOps.QLinearSoftmax),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Broadcast(0, f.Shape(0), f.Shape(3))), OrtOps.QLinearAdd,
            OrtOps.QLinearMul),
        new(OrtOps.QLinearWhere, f => f.Set(0, f.Type(1), f.Broadcast(0, f.Shape(0), f.Shape(1), f.Shape(4)))),
        .. InferenceRule.For(Dequantize, "DequantizeLinear", OrtOps.DequantizeLinear),
    ];

    private static void Dequantize(NodeFacts f)
    {
        if (f.Shape(1)?.Size.Is(0) == true) throw f.Fail("it has no scale");
        if (f.Shape(0)?.Known is { } codes && f.Shape(1) is { } shape && shape.Known is { } scales && shape.Size.Value > 1)
        {
            var (axis, block) = (f.Axis(f.Int("axis", 1), codes.Length), f.Int("block_size", 0));
            long[] fitting = block > 0 ? [.. codes[..axis], (codes[axis] + block - 1) / block, .. codes[(axis + 1)..]] : [codes[axis]];
            if (!scales.SequenceEqual(fitting)) throw f.Fail($"scales {shape} do not fit codes {f.Shape(0)} along axis {axis}");
        }
        f.Set(0, f.Int("output_dtype", 0) is not 0 and var type ? (ElementType)type : f.Type(1), f.Shape(0));
    }
}
