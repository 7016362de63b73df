using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Ways to write a product with a stored matrix that are found in exported files.</summary>
internal static class WeightSpellings
{
    public static IReadOnlyList<WeightSpelling> All { get; } =
    [
        new("Reshape", p => p.Weight(p.Op("Reshape", [p.Stored(p.W, p.In * p.Out), p.Longs(p.In, p.Out)]))),
        new("Squeeze", p => p.Weight(p.Op("Squeeze", [p.Stored(p.W, 1, p.In, p.Out), p.Longs(0)]))),
        new("Squeeze and Transpose", p => p.Weight(p.Op("Transpose", [p.Op("Squeeze", [p.Stored(p.OutIn(p.W), 1, p.Out, p.In), p.Longs(0)])], ("perm", new long[] { 1, 0 })))),
        new("Transpose and Squeeze", p => p.Weight(p.Op("Squeeze", [p.Op("Transpose", [p.Stored(p.OutIn(p.W), p.Out, 1, p.In)], ("perm", new long[] { 1, 2, 0 })), p.Longs(0)]))),
        new("Reshape of the transpose", p => p.Weight(p.Op("Transpose", [p.Op("Reshape", [p.Stored(p.OutIn(p.W), p.In * p.Out), p.Longs(p.Out, -1)])], ("perm", new long[] { 1, 0 })))),
        new("three axes", p => !p.IsGemm && p.Weight(p.Stored(p.W, 1, p.In, p.Out))),
        new("three axes, transposed", p => !p.IsGemm && p.Weight(p.Op("Transpose", [p.Stored(p.OutIn(p.W), 1, p.Out, p.In)], ("perm", new long[] { 0, 2, 1 })))),
        new("Reshape of float16 and Cast", p => p.Weight(p.Op("Cast", [p.Op("Reshape", [Half(p, p.W, p.In * p.Out), p.Longs(p.In, p.Out)])], ("to", (long)ElementType.Float)))) { IsRounded = true },
        new("scaled by a number", p => p.Weight(p.Op("Mul", [p.Stored(p.Over((_, _) => 0.5f), p.In, p.Out), p.Stored([0.5f])]))),
        new("scaled by output features", p => p.Weight(p.Op("Mul", [p.Stored(p.Over((_, j) => Scale(j)), p.In, p.Out), p.Stored(Scales(p.Out), p.Out)]))),
        new("scaled by input features", p => p.Weight(p.Op("Mul", [p.Stored(Scales(p.In), p.In, 1), p.Stored(p.Over((i, _) => Scale(i)), p.In, p.Out)]))),
        new("divided and transposed", p => p.Weight(p.Op("Transpose", [p.Op("Div", [p.Stored(p.OutIn(p.Over((_, j) => 1 / Scale(j))), p.Out, p.In), p.Stored(Scales(p.Out), p.Out, 1)])], ("perm", new long[] { 1, 0 })))),
        new("product scaled by output features", p => !p.IsGemm && p.Product(p.Op("Mul", [p.Plain(p.Stored(p.Over((_, j) => Scale(j)), p.In, p.Out)), p.Stored(Scales(p.Out), p.Out)]))) { IsBehindLayers = true },
        new("product divided by a number", p => !p.IsGemm && p.Product(p.Op("Div", [p.Plain(p.Stored(p.Over((_, _) => 0.25f), p.In, p.Out)), p.Stored([4f])]))) { IsBehindLayers = true },
        new("input scaled", p => !p.IsGemm && p.Product(p.Op("MatMul", [p.Op("Mul", [p.X, p.Stored(Scales(p.In), p.In)]), p.Stored(p.Over((i, _) => Scale(i)), p.In, p.Out)]))),
        new("FusedMatMul with alpha", p => !p.IsGemm && p.Product(p.Op("::FusedMatMul", [p.X, p.Stored(p.OutIn(p.Over((_, _) => 0.5f)), p.Out, p.In)], ("alpha", 0.5f), ("transB", 1)))) { IsBehindLayers = true },
        new("Gemm with alpha and beta", Gemm),
        new("int8 times a scale of each feature", p => Codes(p, byInput: false, zero: null)) { IsRounded = true },
        new("int8 times a scale of each input", p => Codes(p, byInput: true, zero: null)) { IsRounded = true },
        new("uint8 less a zero point", p => Codes(p, byInput: false, zero: 128)) { IsRounded = true },
        new("int8 in blocks", Blocks) { IsRounded = true },
        new("DequantizeLinear and Squeeze", Dequantized) { IsRounded = true },
        new("DequantizeLinear of transposed codes", p => OfTransposedCodes(p, isInPieces: false)) { IsRounded = true },
        new("transposed int8 times a scale", p => OfTransposedCodes(p, isInPieces: true)) { IsRounded = true },
        new("biases behind views", Biases),
        new("on the left", p => !p.IsGemm && p.Product(Swapped(p, p.Op("MatMul", [p.Stored(p.OutIn(p.W), p.Out, p.In), Swapped(p, p.X)])))),
        new("on the left, transposed", p => !p.IsGemm && p.Product(Swapped(p, p.Op("MatMul", [p.Op("Transpose", [p.Stored(p.W, p.In, p.Out)]), Swapped(p, p.X)])))),
        new("Conv of kernel 1", p => !p.IsGemm && p.Product(Swapped(p, p.Op("Conv", [Swapped(p, p.X), p.Stored(p.OutIn(p.W), p.Out, p.In, 1)], ("kernel_shape", new long[] { 1 }))))),
        new("Conv of kernel 1 × 1", p => !p.IsGemm && p.Product(Swapped(p, p.Op("Squeeze", [p.Op("Conv", [p.Op("Unsqueeze", [Swapped(p, p.X), p.Longs(2)]), p.Stored(p.OutIn(p.W), p.Out, p.In, 1, 1)]), p.Longs(2)])))),
        new("MatMulNBits with zero points in float", NBits) { IsRounded = true },
    ];

    /// <summary>Ways in which no stored matrix is the weight, and what the finding says.</summary>
    public static IReadOnlyList<(WeightSpelling Spelling, string Finding)> Refused { get; } =
    [
        (new("float weights rounded when the graph runs", FakeQuantized), "the weight goes through QuantizeLinear"),
        (new("a sum of two tensors", p => p.Weight(p.Op("Add", [p.Stored(p.W, p.In, p.Out), p.Stored(new float[p.In * p.Out], p.In, p.Out)]))), "the weight is a sum of stored tensors"),
        (new("a product of two tensors", p => p.Weight(p.Op("Mul", [p.Stored(p.W, p.In, p.Out), p.Stored(p.W, p.In, p.Out)]))), "the weight goes through Mul"),
        (new("columns in another order", Permuted), "g_idx"),
    ];

    public static float Scale(long feature) => 0.5f + (0.25f * (feature % 5));

    private static float[] Scales(long count) => [.. Enumerable.Range(0, (int)count).Select(i => Scale(i))];

    private static Value Half(SpelledProduct p, float[] numbers, params long[] dims) =>
        p.Stored(OnnxTensor.FromBytes(ElementType.Float16, dims, WeightView.Round(numbers, ElementType.Float16)));

    private static Value Swapped(SpelledProduct p, Value x) => p.Op("Transpose", [x], ("perm", new long[] { 0, 2, 1 }));

    private static bool Gemm(SpelledProduct p)
    {
        if (!p.IsGemm || p.Node.Input(2)?.StoredTensor() is not { } bias) return false;
        p.Weight(p.Stored(p.Over((_, _) => 0.5f), p.In, p.Out));
        p.Node.SetInput(2, p.Stored([.. bias.ToFloats().Select(number => number / 2)], [.. bias.Dims]));
        p.Node.Attributes["alpha"] = 0.5f;
        p.Node.Attributes["beta"] = 2f;
        return true;
    }

    // b as [1, out] of another number, divided, cut down to [out]
    private static bool Biases(SpelledProduct p)
    {
        if (p.Bias is not var (node, input) || node.Input(input)!.StoredTensor() is not { } bias) return false;
        var doubled = p.Stored([.. bias.ToFloats().Select(number => number * 2)], 1, bias.Count);
        node.SetInput(input, p.Op("Squeeze", [p.Op("Div", [doubled, p.Stored([2f])]), p.Longs(0)]));
        return true;
    }

    private static bool OfTransposedCodes(SpelledProduct p, bool isInPieces)
    {
        var w = p.OutIn(p.W);
        var scales = new float[p.Out];
        for (var at = 0L; at < w.Length; at++) scales[at / p.In] = Math.Max(scales[at / p.In], Math.Abs(w[at]) / 127);
        var bytes = w.Select((number, at) => unchecked((byte)(sbyte)MathF.Round(number / scales[at / p.In]))).ToArray();
        var codes = p.Op("Transpose", [p.Stored(OnnxTensor.FromBytes(ElementType.Int8, [p.Out, p.In], bytes))], ("perm", new long[] { 1, 0 }));
        return p.Weight(isInPieces
            ? p.Op("Mul", [p.Op("Cast", [codes], ("to", (long)ElementType.Float)), p.Stored(scales, p.Out)])
            : p.Op("DequantizeLinear", [codes, p.Stored(scales, p.Out)], ("axis", 1)));
    }

    // w ≈ (code − zero)·scale, with a scale for each column or row
    private static bool Codes(SpelledProduct p, bool byInput, int? zero)
    {
        var (w, count) = (p.W, byInput ? p.In : p.Out);
        var scales = new float[count];
        for (var at = 0L; at < w.Length; at++) scales[Feature(at)] = Math.Max(scales[Feature(at)], Math.Abs(w[at]) / 127);
        var bytes = w.Select((number, at) => unchecked((byte)(int)(MathF.Round(number / scales[Feature(at)]) + (zero ?? 0)))).ToArray();
        var codes = p.Stored(OnnxTensor.FromBytes(zero is null ? ElementType.Int8 : ElementType.UInt8, [p.In, p.Out], bytes));
        var widened = p.Op("Cast", [codes], ("to", (long)ElementType.Float));
        if (zero is { } number) widened = p.Op("Sub", [widened, p.Stored([.. Enumerable.Repeat((float)number, (int)p.Out)], p.Out)]);
        return p.Weight(p.Op("Mul", [widened, byInput ? p.Stored(scales, p.In, 1) : p.Stored(scales, p.Out)]));

        long Feature(long at) => byInput ? at / p.Out : at % p.Out;
    }

    // [out, in/8, 8] codes with a scale for each eight inputs
    private static bool Blocks(SpelledProduct p)
    {
        if (p.In % 8 != 0) return false;
        var w = p.OutIn(p.W);
        var scales = new float[w.Length / 8];
        for (var at = 0; at < w.Length; at++) scales[at / 8] = Math.Max(scales[at / 8], Math.Abs(w[at]) / 127);
        var bytes = w.Select((number, at) => unchecked((byte)(sbyte)MathF.Round(number / scales[at / 8]))).ToArray();
        var codes = p.Stored(OnnxTensor.FromBytes(ElementType.Int8, [p.Out, p.In / 8, 8], bytes));
        var widened = p.Op("Mul", [p.Op("Cast", [codes], ("to", (long)ElementType.Float)), p.Stored(scales, p.Out, p.In / 8, 1)]);
        return p.Weight(p.Op("Transpose", [p.Op("Reshape", [widened, p.Longs(p.Out, p.In)])], ("perm", new long[] { 1, 0 })));
    }

    private static bool Dequantized(SpelledProduct p)
    {
        var w = p.W;
        var scale = w.Max(Math.Abs) / 127;
        var codes = p.Stored(OnnxTensor.FromBytes(ElementType.Int8, [1, p.In, p.Out], w.Select(number => unchecked((byte)(sbyte)MathF.Round(number / scale))).ToArray()));
        return p.Weight(p.Op("Squeeze", [p.Op("DequantizeLinear", [codes, p.Stored(OnnxTensor.Scalar(scale))]), p.Longs(0)]));
    }

    // 4 bits in blocks of 16 inputs; zero points lie between codes.
    private static bool NBits(SpelledProduct p) => !p.IsGemm && p.Product(Packed(p, order: null));

    private static Value Packed(SpelledProduct p, Value? order)
    {
        var (w, blocks) = (p.OutIn(p.W), (p.In + 15) / 16);
        var (codes, scales, zeros) = (new byte[p.Out * blocks * 8], new float[p.Out * blocks], new float[p.Out * blocks]);
        for (var i = 0L; i < scales.Length; i++) (scales[i], zeros[i]) = (w.Max(Math.Abs) / 7, 7.3f);
        for (var at = 0L; at < w.Length; at++)
        {
            var (row, column) = (at / p.In, at % p.In);
            var code = (int)Math.Clamp(MathF.Round((w[at] / scales[0]) + zeros[0]), 0, 15);
            codes[(row * blocks * 8) + (column / 2)] |= (byte)(code << (int)(column % 2 * 4));
        }
        return p.Op(
            "::MatMulNBits",
            [p.X, p.Stored(OnnxTensor.FromBytes(ElementType.UInt8, [p.Out, blocks, 8], codes)), p.Stored(scales, p.Out * blocks), p.Stored(zeros, p.Out, blocks), order],
            ("K", p.In), ("N", p.Out), ("bits", 4), ("block_size", 16), ("accuracy_level", 1));
    }

    private static bool FakeQuantized(SpelledProduct p)
    {
        var scale = p.Stored(OnnxTensor.Scalar(p.W.Max(Math.Abs) / 127));
        var zero = p.Stored(OnnxTensor.FromBytes(ElementType.Int8, [], new byte[1]));
        return p.Weight(p.Op("DequantizeLinear", [p.Op("QuantizeLinear", [p.Stored(p.W, p.In, p.Out), scale, zero]), scale, zero]));
    }

    private static bool Permuted(SpelledProduct p) =>
        !p.IsGemm && p.Product(Packed(p, p.Stored(OnnxTensor.Vector<int>([.. Enumerable.Range(0, (int)p.In).Select(i => i / 16)]))));
}
