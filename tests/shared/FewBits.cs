using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The forms in which low-bit weights are stored.</summary>
internal enum FewBitsForm
{
    /// <summary><c>MatMulNBits</c>, 4 bits, the middle code is 0.</summary>
    Blocks4,

    /// <summary><c>MatMulNBits</c>, 4 bits with zero points.</summary>
    Blocks4WithZeros,

    /// <summary><c>MatMulNBits</c>, 8 bits.</summary>
    Blocks8,

    /// <summary>int8 behind DequantizeLinear, a scale for each output feature.</summary>
    Int8PerFeature,

    /// <summary>int8 behind DequantizeLinear, one scale.</summary>
    Int8,

    /// <summary>DynamicQuantizeLinear and MatMulInteger, a scale for each output feature.</summary>
    Integer,

    /// <summary>The same with one zero point for all features.</summary>
    IntegerWithOneZero,
}

/// <summary>Files whose products with constants are stored in low-bit form, made from float32 files.</summary>
internal static class FewBits
{
    private const int Block = 16;

    /// <summary>Stores every product with a constant matrix in a form.</summary>
    /// <param name="model">The float32 model; it is not changed.</param>
    /// <param name="form">The form.</param>
    /// <param name="path">Where the result is saved.</param>
    public static OnnxModel Saved(OnnxModel model, FewBitsForm form, string path)
    {
        var copy = model.Clone();
        copy.OpsetVersions["com.microsoft"] = 1;
        var tape = new Tape(copy.Graph);
        foreach (var product in copy.Graph.Nodes.Where(node => node.Op == "MatMul" && node.Input(1) is { Constant: { Rank: 2, Type: ElementType.Float } }).ToList())
        {
            using var scope = tape.Scope(product.Name);
            copy.Graph.ReplaceUses(product.Output, Product(tape[product.Input(0)!], product.Input(1)!.Constant!, form).Value);
        }
        copy.Graph.RemoveUnused();
        copy.Graph.Sort();
        copy.Save(path);
        return OnnxModel.Load(path);
    }

    private static Expr Product(Expr x, OnnxTensor weight, FewBitsForm form)
    {
        var (w, rows, columns) = (weight.ToFloats(), (int)weight.Dims[0], (int)weight.Dims[1]);
        return form switch
        {
            FewBitsForm.Blocks4 or FewBitsForm.Blocks4WithZeros or FewBitsForm.Blocks8 => Blocks(x, (w, rows, columns), form == FewBitsForm.Blocks8 ? 8 : 4, form == FewBitsForm.Blocks4WithZeros),
            FewBitsForm.Integer => Integer(x, (w, rows, columns), [columns]),
            FewBitsForm.IntegerWithOneZero => Integer(x, (w, rows, columns), zeroDims: []),
            _ => Dequantized(x, (w, rows, columns), isPerFeature: form == FewBitsForm.Int8PerFeature),
        };
    }

    // [N, ⌈K/block⌉, block·bits/8]
    private static Expr Blocks(Expr x, (float[] Values, int Rows, int Columns) w, int bits, bool hasZeros)
    {
        var (blocks, tape) = ((w.Rows + Block - 1) / Block, x.Tape);
        var (codes, scales) = (new byte[w.Columns * blocks * Block * bits / 8], new float[w.Columns * blocks]);
        var zeros = new byte[w.Columns * (((blocks * bits) + 7) / 8)];
        for (var n = 0; n < w.Columns; n++)
        {
            for (var b = 0; b < blocks; b++)
            {
                var part = Enumerable.Range(b * Block, Math.Min(Block, w.Rows - (b * Block))).Select(k => w.Values[(k * w.Columns) + n]).ToArray();
                var (low, high, zero) = (Math.Min(0, part.Min()), Math.Max(0, part.Max()), 1 << (bits - 1));
                var scale = hasZeros ? (high - low) / ((1 << bits) - 1) : part.Max(Math.Abs) / (zero - 1);
                if (scale == 0) scale = 1;
                if (hasZeros) zero = (int)MathF.Round(-low / scale);
                scales[(n * blocks) + b] = scale;
                zeros[(n * (((blocks * bits) + 7) / 8)) + (b * bits / 8)] |= (byte)(zero << (b * bits % 8));
                for (var i = 0; i < part.Length; i++)
                {
                    var code = Math.Clamp((int)MathF.Round(part[i] / scale) + zero, 0, (1 << bits) - 1);
                    var at = (((n * blocks) + b) * Block) + i;
                    codes[at * bits / 8] |= (byte)(code << (at * bits % 8));
                }
            }
        }
        Expr?[] inputs =
        [
            x,
            tape.Constant(OnnxTensor.Of<byte>([w.Columns, blocks, Block * bits / 8], codes), $"{x.Value.Name}/codes"),
            tape.Constant(OnnxTensor.Of<float>([w.Columns * blocks], scales), $"{x.Value.Name}/scales"),
            hasZeros ? tape.Constant(OnnxTensor.Of<byte>([zeros.Length], zeros), $"{x.Value.Name}/zeros") : null,
        ];
        return tape.Op(OrtOps.MatMulNBits, hasZeros ? inputs : inputs[..3], ("K", w.Rows), ("N", w.Columns), ("bits", bits), ("block_size", Block));
    }

    private static Expr Dequantized(Expr x, (float[] Values, int Rows, int Columns) w, bool isPerFeature)
    {
        var (codes, scales) = Codes(w, isPerFeature);
        var scale = isPerFeature ? OnnxTensor.Vector<float>(scales) : OnnxTensor.Scalar(scales[0]);
        var tape = x.Tape;
        return x.MatMul(tape.Op("DequantizeLinear", [tape.Constant(codes, $"{x.Value.Name}/codes"), tape.Constant(scale, $"{x.Value.Name}/scales")], ("axis", 1)));
    }

    private static Expr Integer(Expr x, (float[] Values, int Rows, int Columns) w, long[] zeroDims)
    {
        var (codes, scales) = Codes(w, isPerFeature: true);
        var tape = x.Tape;
        var rounded = tape.Write("DynamicQuantizeLinear", [x], 3);
        var zero = tape.Constant(OnnxTensor.Of<sbyte>(zeroDims, new sbyte[zeroDims.Length == 0 ? 1 : w.Columns]));
        var product = tape.Op("MatMulInteger", [tape[rounded.Outputs[0]!], tape.Constant(codes, $"{x.Value.Name}/codes"), tape[rounded.Outputs[2]!], zero]);
        var factor = tape[rounded.Outputs[1]!] * tape.Constant(OnnxTensor.Vector<float>(scales), $"{x.Value.Name}/scales");
        return product.Apply("Cast", ("to", (long)ElementType.Float)) * factor;
    }

    private static (OnnxTensor Codes, float[] Scales) Codes((float[] Values, int Rows, int Columns) w, bool isPerFeature)
    {
        var scales = Enumerable.Range(0, w.Columns).Select(n => Enumerable.Range(0, w.Rows).Max(k => Math.Abs(w.Values[(k * w.Columns) + n])) / 127).ToArray();
        if (!isPerFeature) Array.Fill(scales, scales.Max());
        var codes = w.Values.Select((value, at) => (sbyte)MathF.Round(value / scales[at % w.Columns])).ToArray();
        return (OnnxTensor.Of<sbyte>([w.Rows, w.Columns], codes), scales);
    }
}
