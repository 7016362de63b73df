using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Writes what is younger than ONNX Runtime Training 1.19.2 in operators that it has; the numbers are the same.</summary>
internal static class OlderOperators
{
    private const int BitsOfByte = 8;

    /// <summary>Replaces tables of low-bit rows (<c>GatherBlockQuantized</c>) and products with weights of 8 bits
    /// (<c>MatMulNBits</c>).</summary>
    /// <exception cref="LortaException">LRT574: one of them is stored in a way that has no replacement.</exception>
    public static void Replace(Tape tape)
    {
        foreach (var node in tape.Graph.Nodes.ToList())
        {
            using var scope = tape.Scope(node.Label);
            if (node.Op == OrtOps.GatherBlockQuantized) tape.Graph.ReplaceUses(node.Output, Rows(tape, node).Value);
            else if (node.Op == OrtOps.MatMulNBits && node.Int("bits", 4) == BitsOfByte)
                tape.Graph.ReplaceUses(node.Output, Product(tape, node).Value);
        }
    }

    // y = (codes − zero)·scale of the rows at index, [.., columns]; table [rows, columns] in blocks along the columns
    private static Expr Rows(Tape tape, Node node)
    {
        var (codes, scales) = (Constant(node, 0), Constant(node, 2));
        if (node.Int("gather_axis", 0) != 0 || codes.Rank != 2 || node.Int("quantize_axis", 1) is not (1 or -1))
            throw OrtTrainingErrors.YoungOperator(node, "its table is no matrix of rows");
        var layout = BlockLayout.Of(node, codes, scales);
        if (layout.Columns * layout.Bits % BitsOfByte != 0 || layout.Columns % layout.BlockColumns != 0)
            throw OrtTrainingErrors.YoungOperator(node, "the rows of its table are no whole bytes and blocks");
        var index = tape[node.Operand(1)];
        var lead = Enumerable.Repeat(0L, index.Rank).ToArray();   // the dimensions of the index
        var blocks = layout.Columns / layout.BlockColumns;

        var numbers = Signed(Codes(Taken(node.Operand(0), layout.RowBits), layout.Columns)).Reshape([.. lead, blocks, layout.BlockColumns]);
        if (node.Input(3) is { } zeros) numbers -= Signed(Codes(Taken(zeros, layout.ZeroRowBits), blocks)).Unsqueeze(-1);
        else if (layout.DefaultZero != 0) numbers -= layout.DefaultZero;
        var scale = tape.Op("Gather", [tape[node.Operand(2)], index], ("axis", 0)).Cast(ElementType.Float);   // [.., blocks]
        return (numbers * scale.Unsqueeze(-1)).Reshape([.. lead, layout.Columns]).Cast(scales.Type);

        // The bytes of the rows at index, [.., bytes of a row].
        Expr Taken(Value stored, long rowBits)
        {
            if (stored.Constant is not { } tensor || rowBits % BitsOfByte != 0)
                throw OrtTrainingErrors.YoungOperator(node, "its zero points are no constant of whole bytes in each row");
            var bytes = tape.Constant(tensor.As(ElementType.UInt8, [layout.Rows, rowBits / BitsOfByte]), $"{stored.Name}.bytes");
            bytes.Value.IsExternal = stored.IsExternal;
            return tape.Op("Gather", [bytes, index], ("axis", 0));
        }

        // The codes in bytes, low bits first, one behind the other.
        Expr Codes(Expr bytes, long count)
        {
            if (layout.Bits == BitsOfByte) return bytes;
            var mask = tape.Constant(OnnxTensor.Scalar((byte)((1 << layout.Bits) - 1)));
            var parts = Enumerable.Range(0, BitsOfByte / layout.Bits)
                .Select(part => tape.Constant(OnnxTensor.Scalar((byte)(part * layout.Bits))))
                .Select(shift => tape.Op("BitShift", [bytes, shift], ("direction", "RIGHT")).Apply("BitwiseAnd", mask).Unsqueeze(-1))
                .ToArray();
            var apart = Expr.Concat(-1, parts).Reshape([.. lead, -1]);
            return apart.Leading(count, index.Rank);
        }

        // Turning the sign's bit and taking it away again extends the sign.
        Expr Signed(Expr bits)
        {
            if (!layout.IsSigned) return bits.Cast(ElementType.Float);
            var sign = 1 << (layout.Bits - 1);
            return bits.Apply("BitwiseXor", tape.Constant(OnnxTensor.Scalar((byte)sign))).Cast(ElementType.Float) - sign;
        }
    }

    // y = x·Wᵀ + bias; W [N, K] in blocks along K, the last of which may be filled up
    private static Expr Product(Tape tape, Node node)
    {
        var (rows, columns, block) = (node.Int("N", 0), node.Int("K", 0), node.Int("block_size", 0));
        var blocks = (columns + block - 1) / block;
        if (node.Input(4) is not null) throw OrtTrainingErrors.YoungOperator(node, "its columns are permuted (g_idx)");
        if (node.Input(3) is { Type: not ElementType.UInt8 }) throw OrtTrainingErrors.YoungOperator(node, "its zero points are no codes");
        var codes = tape.Constant(Constant(node, 1).As(ElementType.UInt8, [rows, blocks * block]));
        codes.Value.IsExternal = node.Operand(1).IsExternal;
        var x = tape[node.Operand(0)];
        var scales = LateDequantize.Scale(tape[node.Operand(2)].Reshape(rows, blocks), x);
        var middle = OnnxTensor.FromBytes(
            ElementType.UInt8, [rows, blocks], Enumerable.Repeat((byte)(1 << (BitsOfByte - 1)), (int)(rows * blocks)).ToArray());
        var zeros = node.Input(3) is { } stored ? tape[stored].Reshape(rows, blocks) : tape.Constant(middle);
        var weight = tape.Op("DequantizeLinear", [codes, scales, zeros], ("axis", 1), ("block_size", block));
        var product = x.MatMul(weight.Leading(columns, 1).T);
        return node.Input(5) is { } bias ? product + tape[bias] : product;
    }

    private static OnnxTensor Constant(Node node, int input) =>
        node.Operand(input).Constant ?? throw OrtTrainingErrors.YoungOperator(node, $"its input {input} is not a constant");
}
