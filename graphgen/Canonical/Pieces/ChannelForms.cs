using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>Products on data whose features lie on another axis than the last (Wᵀ·xᵀ, a Conv of kernel 1): they become products on rows
/// between two Transposes, which cancel those of the file.</summary>
internal static class ChannelForms
{
    public static readonly Form[] All =
    [
        new Replace("weight on the left", "MatMul", WeightOnTheLeft),
        new Replace("convolution of single positions", "Conv", Convolution),
        new Replace("bias of a transposed product", "Add", BiasOfTransposed),
        new Replace("transposes that cancel", "Transpose", Cancelling),
    ];

    // A·v = (vᵀ·Aᵀ)ᵀ
    private static Outcome WeightOnTheLeft(Node node, Rewriting at)
    {
        if (node.Input(0) is not { Shape: { } shape } weight || node.Input(1) is not { IsConstant: false, Shape: { Rank: >= 2 } columns } x)
            return "the shape of an operand is not known, or the right one is stored";
        if (shape.Rank > columns.Rank || !(SwapsLastTwo(x.Producer) || IsReadTransposed(node.Output)))
            return "its data are not transposed in front of it or behind";
        if (StoredMatrixOperand.Of(at, weight) is not var (matrix, isTransposed)) return "its left operand is no stored matrix";
        return at.Substitute(node, (_, _) =>
        {
            var operand = at.Tape[matrix];
            return [at.Tape[x].T.MatMul(isTransposed ? operand : operand.T).T];
        });
    }

    private static Outcome Convolution(Node node, Rewriting at)
    {
        if (node.Input(0) is not { Shape: { Rank: >= 3 } shape } x || node.Input(1) is not { Shape.Known: { } kernel } weight)
            return "the shape of its data or of its kernel is not known";
        if (kernel.Skip(2).Any(size => size != 1) || node.Int("group", 1) != 1)
            return "its kernel covers several positions, or its channels are grouped";
        if (node.Ints("strides")?.Any(stride => stride != 1) == true || node.Ints("pads")?.Any(pad => pad != 0) == true)
            return "it leaves positions out or pads them";
        if (!ViewOps.Moves(x.Producer) && !node.Output.Uses.Any(use => ViewOps.Moves(use.Node)))
            return "nothing in front of it or behind moves its features to the last axis";
        if (StoredMatrixOperand.Of(at, weight) is not var (matrix, isTransposed)) return "its kernel is no stored matrix";
        var rank = shape.Rank;
        int[] toLast = [0, .. Enumerable.Range(2, rank - 2), 1];
        int[] back = [0, rank - 1, .. Enumerable.Range(1, rank - 2)];
        return at.Substitute(node, (_, _) =>
        {
            var rows = x.Producer is { Op: "Transpose" } moved && IsOrder(moved, back)
                ? at.Tape[moved.Operand(0)]
                : at.Tape[x].MoveAxes(toLast);
            var operand = at.Tape[matrix];
            var product = rows.MatMul(isTransposed ? operand : operand.T);
            return [(node.Input(2) is { } bias ? product + at.Tape[bias] : product).MoveAxes(back)];
        });
    }

    // yᵀ + b[:, 1] = (y + b)ᵀ
    private static Outcome BiasOfTransposed(Node node, Rewriting at)
    {
        for (var side = 0; side < 2; side++)
        {
            if (node.Input(side) is not { IsConstant: true, Constant: { Rank: >= 2 } stored } bias
                || stored.Dims[^1] != 1
                || stored.Dims[^2] != stored.Count)
                continue;
            if (!SwapsLastTwo(node.Operand(1 - side).Producer)
                || node.Operand(1 - side).Producer!.Input(0) is not { Producer: { } product } rows)
                continue;
            if (ScaledProducts.WeightOf(product) is null || ScaledProducts.OutOf(product) != stored.Count) continue;
            var vector = at.Like(bias, stored.WithDims([stored.Count]));
            return at.Substitute(node, (_, _) => [(at.Tape[rows] + at.Tape[vector]).T]);
        }
        return "neither operand is a stored column that is added to a transposed product";
    }

    private static Outcome Cancelling(Node node, Rewriting at)
    {
        if (at.Graph.IsOutput(node.Output) || node.Operand(0).Producer is not { Op: "Transpose" } first)
            return "no Transpose is in front of it, or it is an output of the graph";
        if (node.Operand(0).Shape is not { } shape || first.Operand(0).IsConstant)
            return "what is transposed is stored, or its shape is not known";
        var (a, b) = (OrderOf(first, shape.Rank), OrderOf(node, shape.Rank));
        if (!b.Select((axis, i) => a[axis] == i).All(same => same)) return "the two Transposes do not cancel";
        at.Forward(node, first.Operand(0));
        return Outcome.Done;
    }

    private static bool IsReadTransposed(Value value) =>
        value.Uses.Any(use => SwapsLastTwo(use.Node)
            || (use.Node.Op == "Add" && use.Node.Output.Uses.Any(further => SwapsLastTwo(further.Node))));

    private static bool SwapsLastTwo(Node? node) =>
        node is { Op: "Transpose" }
            && node.Input(0)?.Shape is { Rank: >= 2 and var rank }
            && IsOrder(node, [.. Enumerable.Range(0, rank - 2), rank - 1, rank - 2]);

    private static bool IsOrder(Node transpose, int[] order) => OrderOf(transpose, order.Length).SequenceEqual(order);

    private static int[] OrderOf(Node transpose, int rank) =>
        transpose.Ints("perm") is { } order ? Array.ConvertAll(order, axis => (int)axis) : [.. Enumerable.Range(0, rank).Reverse()];
}
