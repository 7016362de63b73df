using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
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
        new Replace("axes added in front of a product and dropped behind it", "Squeeze", DroppedAgain),
        new Replace("transposes that cancel", "Transpose", Cancelling),
    ];

    // A·v = (vᵀ·Aᵀ)ᵀ
    private static Outcome WeightOnTheLeft(Node node, Rewriting at)
    {
        if (node.Input(0) is not { Shape: { } shape } weight || node.Input(1) is not { IsConstant: false, Shape: { Rank: >= 2 } columns } x)
            return "the shape of an operand is not known, or the right one is stored";
        if (shape.Rank > columns.Rank || !(SwapsLastTwo(x.Producer) || IsReadTransposed(node.Output)))
            return "its data are not transposed in front of it or behind";
        if (StoredMatrixOperand.Of(at, weight) is not var (matrix, isTransposed)) return "its left operand is not a stored matrix";
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
        if (StoredMatrixOperand.Of(at, weight) is not var (matrix, isTransposed)) return "its kernel is not a stored matrix";
        // A line as an image of one row stays a line: the axes are added behind the product, where those that drop them cancel them.
        var added = AddedAxes(x.Producer) is { } axes && axes.All(axis => axis >= 2) && shape.Rank - axes.Length >= 3 ? axes : [];
        var data = added.Length == 0 ? x : x.Producer!.Operand(0);
        var rank = shape.Rank - added.Length;
        int[] toLast = [0, .. Enumerable.Range(2, rank - 2), 1];
        int[] back = [0, rank - 1, .. Enumerable.Range(1, rank - 2)];
        return at.Substitute(node, (_, _) =>
        {
            var rows = data.Producer is { Op: "Transpose" } moved && IsOrder(moved, back)
                ? at.Tape[moved.Operand(0)]
                : at.Tape[data].MoveAxes(toLast);
            var operand = at.Tape[matrix];
            var product = rows.MatMul(isTransposed ? operand : operand.T);
            var columns = (node.Input(2) is { } bias ? product + at.Tape[bias] : product).MoveAxes(back);
            return [added.Length == 0 ? columns : columns.Unsqueeze(added)];
        });
    }

    private static Outcome DroppedAgain(Node node, Rewriting at)
    {
        var widened = node.Operand(0);
        if (AddedAxes(widened.Producer) is not { } added || widened.Producer!.Operand(0) is not { Producer.Op: "Transpose" } x)
            return "it drops no axes that were added to what is transposed";
        if (at.Graph.IsOutput(node.Output)) return "it is an output of the graph";
        if (AxesOf(node, widened) is not { } dropped || !dropped.Order().SequenceEqual(added.Order()))
            return "it drops other axes than were added";
        at.Forward(node, x);
        return Outcome.Done;
    }

    // The axes of its output that an Unsqueeze adds, counted from the front.
    private static long[]? AddedAxes(Node? node) => node is { Op: "Unsqueeze" } ? AxesOf(node, node.Output) : null;

    private static long[]? AxesOf(Node node, Value counted) =>
        counted.Shape is { Rank: var rank } && node.Input(1) is { IsConstant: true, Constant: { } axes }
            ? [.. axes.ToLongs().Select(axis => axis.FromFront(rank))]
            : null;

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
