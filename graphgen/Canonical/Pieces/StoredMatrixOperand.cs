using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>The stored matrix behind an operand of the canonical graph that has further axes of length 1, or views in front of a late
/// dequantisation.</summary>
internal static class StoredMatrixOperand
{
    /// <summary>A value of rank 2 and whether the operand is its transpose; null where the operand is no stored matrix.</summary>
    public static (Value Matrix, bool IsTransposed)? Of(Rewriting at, Value operand)
    {
        var views = new Stack<Node>();
        var value = operand;
        while (value.Producer is { } view && ViewOps.Moves(view))
        {
            views.Push(view);
            value = view.Operand(0);
        }
        if (Stored(value) is not { } dims) return null;
        var axes = StoredAxes.Of(dims);
        foreach (var view in views)
        {
            axes = view.Op == "Transpose"
                ? axes?.Transpose(view.Ints("perm"))
                : view.Output.Shape?.Known is { } shape
                ? axes?.Reshape(shape)
                : null;
        }
        if (axes?.Matrix() is not var (isTransposed, rows, columns)) return null;
        return Flat(at, value, rows, columns) is { } matrix ? (matrix, isTransposed) : null;
    }

    private static IReadOnlyList<long>? Stored(Value value)
    {
        if (value is { IsConstant: true, Constant: { Type: ElementType.Float } tensor }) return tensor.Dims;
        return LateDequantize.IsDequantized(value) ? value.Producer!.Operand(0).Constant!.Dims : null;
    }

    private static Value? Flat(Rewriting at, Value value, long rows, long columns)
    {
        if (ScaledProducts.IsPlain(value)) return value;
        if (value.IsConstant) return at.Like(value, value.Constant!.WithDims([rows, columns]));
        var node = value.Producer!;
        var codes = node.Operand(0);
        var scale = node.Operand(1);
        var zero = node.Input(2);
        var dims = codes.Constant!.Dims;
        if (node.Int("block_size", 0) != 0 || scale.Constant!.Rank > 1) return null;
        var axis = node.Axis(dims.Count, 1);
        var flat = at.Copy(node, [at.Like(codes, codes.Constant.WithDims([rows, columns])), scale, zero], [rows, columns]);
        if (scale.Constant.Count > 1)
            flat.Attributes["axis"] = dims.Take(axis).All(dim => dim == 1) && dims[axis] == rows ? 0 : 1;
        return flat.Output;
    }
}
