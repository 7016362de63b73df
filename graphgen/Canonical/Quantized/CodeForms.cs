using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>Weights that are widened in pieces, (Cast(codes) − zero)·scale: one DequantizeLinear.</summary>
internal static class CodeForms
{
    /// <summary>One scale for all, for each row, for each column, or for each block of a row or column.</summary>
    public static Outcome TimesScale(Node node, Rewriting at)
    {
        for (var side = 0; side < 2; side++)
        {
            if (node.Input(side) is not { IsConstant: true, Constant: { Type: ElementType.Float } scales } scale) continue;
            var widened = node.Operand(1 - side);
            var zero = (Value?)null;
            if (widened.Producer is { Op: "Sub" } shift && shift.Operand(1).IsConstant)
                (widened, zero) = (shift.Operand(0), shift.Input(1));
            if (widened.Producer is not { Op: "Cast" } cast) continue;
            if (cast.Input(0) is not { IsConstant: true } codes || !IsOfCodes(codes.Constant!)) continue;
            if (LayoutOf(codes.Constant!.Dims, scales) is not { } layout)
                return "the scales belong to no axis and to no blocks of the codes";
            var zeros = zero is null ? null : ZeroPoints(at, zero, codes.Constant!, scales, layout);
            if (zero is not null && zeros is null) return "the zero points are not codes, one for each scale";
            return at.Substitute(node, (_, _) =>
            {
                var flat = at.Like(codes, codes.Constant!.WithDims(layout.Dims));
                var factors = at.Like(scale, scales.WithDims(layout.ScaleDims));
                Expr?[] inputs = [at.Tape[flat], at.Tape[factors], zeros is null ? null : at.Tape[zeros]];
                (string, OnnxAttribute?)[] attributes = layout.Block > 0
                    ? [("axis", layout.Axis), ("block_size", layout.Block)]
                    : [("axis", layout.Axis)];
                var weight = at.Tape.Op("DequantizeLinear", inputs, attributes);
                return [layout.Dims.SequenceEqual(codes.Constant!.Dims) ? weight : weight.Reshape([.. codes.Constant!.Dims])];
            });
        }
        return "neither operand is widened codes with stored scales as the other";
    }

    private static bool IsOfCodes(OnnxTensor tensor) =>
        tensor.Rank >= 2 && tensor.Type is ElementType.Int8 or ElementType.UInt8 or ElementType.Int4 or ElementType.UInt4
            or ElementType.Int16 or ElementType.UInt16;

    // Codes as a matrix, and the axis along which scales differ.
    private static CodeLayout? LayoutOf(IReadOnlyList<long> dims, OnnxTensor scales)
    {
        long[] all = [.. dims];
        if (scales.Count == 1) return new CodeLayout(all, [], 1, 0);
        long[] along = [.. Enumerable.Repeat(1L, Math.Max(0, all.Length - scales.Rank)), .. scales.Dims];
        if (along.Length != all.Length || along.Zip(all).Any(pair => pair.First != 1 && pair.First != pair.Second)) return null;
        var varying = Enumerable.Range(0, along.Length).Where(axis => along[axis] > 1).ToArray();
        return (varying, all) switch
        {
            ([var axis], _) => new CodeLayout(all, [all[axis]], axis, 0),
            ([0, 1], [var rows, var blocks, var block]) => new CodeLayout([rows, blocks * block], [rows, blocks], 1, block),
            ([0, 2], [var blocks, var block, var columns]) => new CodeLayout([blocks * block, columns], [blocks, columns], 0, block),
            _ => null,
        };
    }

    // As codes, one for each scale; null where they are none, or differ along other axes than the scales.
    private static Value? ZeroPoints(Rewriting at, Value zero, OnnxTensor codes, OnnxTensor scales, CodeLayout layout)
    {
        var stored = zero.Constant!;
        if (stored.Count != 1 && LayoutOf(codes.Dims, stored)?.IsLike(layout) != true) return null;
        (int lowest, int highest) = codes.Type == ElementType.Int8 ? (-128, 127) : (0, 255);
        var numbers = stored.ToFloats();
        if (codes.Type.Bits() != 8 || !numbers.All(number => number == MathF.Round(number) && number >= lowest && number <= highest))
            return null;
        if (stored.Count == 1) numbers = [.. Enumerable.Repeat(numbers[0], (int)scales.Count)];
        var bytes = Array.ConvertAll(numbers, number => unchecked((byte)(int)number));
        return at.Like(zero, OnnxTensor.FromBytes(codes.Type, layout.ScaleDims, bytes));
    }

    /// <summary>How codes and scales are laid out as one DequantizeLinear.</summary>
    /// <param name="Dims">Sizes of the matrix of codes.</param>
    /// <param name="ScaleDims">Sizes of the scales.</param>
    /// <param name="Axis">Axis that they belong to.</param>
    /// <param name="Block">Codes that share a scale along it; 0 = each index has its own.</param>
    private sealed record CodeLayout(long[] Dims, long[] ScaleDims, int Axis, long Block)
    {
        public bool IsLike(CodeLayout other) => (Axis, Block) == (other.Axis, other.Block) && ScaleDims.SequenceEqual(other.ScaleDims);
    }
}
