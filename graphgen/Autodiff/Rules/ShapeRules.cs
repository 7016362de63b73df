using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of operators that move elements as they are. Notation: x input, y output, g = ∂loss/∂y.</summary>
internal static class ShapeRules
{
    public static readonly GradientRule[] All =
    [
        new("Reshape", r => [r.G.ReshapeLike(r.X), null]),
        new("Flatten", r => [r.G.ReshapeLike(r.X)]),
        new("Squeeze", r => [r.G.ReshapeLike(r.X), null]),
        new("Unsqueeze", r => [r.G.ReshapeLike(r.X), null]),
        new("Expand", r => [r.G, null]),   // a broadcast: the engine sums
        new("Transpose", r =>
        {
            var order = r.Ints("perm") ?? [.. Enumerable.Range(0, r.X.Rank).Reverse().Select(axis => (long)axis)];
            return [r.G.MoveAxes(Inverse(order))];
        }),
        new("Trilu", r => [r.Again(r.G), null]),
        new("Concat", r => r.Inputs.Count == 1 ? [r.G] : Parts(r, (int)r.Int("axis", 0))),
        new("Split", r => [Expr.Concat(r.Int("axis", 0), [.. Enumerable.Range(0, r.OutputCount).Select(r.Gradient)]), null])
        {
            Outputs = int.MaxValue,
        },
        new("Slice", r => [Padded(r) ?? IndexingRules.AtPositions(r), null, null, null, null]),
        new("Pad", r =>
        {
            var (_, pads) = r;
            if (r.String("mode", "constant") is not "constant" and var mode) throw r.Refusal($"it pads in the mode {mode}");
            var cut = r.Longs(1) is { } known ? r.Tape.Longs([.. known.Select(pad => -pad)]) : -pads;   // negative pads cut off
            return [r.Tape.Op("Pad", [r.G, cut, null, r.Input(3)]), null, null, null];
        }),
        new("Tile", r => [IndexingRules.AtPositions(r), null]),
    ];

    private static int[] Inverse(long[] order)
    {
        var inverse = new int[order.Length];
        for (var axis = 0; axis < order.Length; axis++) inverse[order[axis]] = axis;
        return inverse;
    }

    private static IReadOnlyList<Expr?> Parts(GradientCall r, int axis)
    {
        axis = r.X.Shape.Axis(axis);
        var sizes = r.Inputs.All(input => input.Shape[axis].IsKnown)
            ? r.Tape.Longs([.. r.Inputs.Select(input => input.Shape[axis].Value!.Value)])
            : Expr.Concat(0, [.. r.Inputs.Select(input => input.SizeOf(axis))]);
        return [.. r.Tape.Write("Split", [r.G, sizes], r.Inputs.Count, ("axis", axis)).Outputs.Select(part => (Expr?)r.Tape[part!])];
    }

    // y = x[start : end : 1]  ⇒  x̄ = g with zeros around it, where it is known how many.
    private static Expr? Padded(GradientCall r)
    {
        if (r.Longs(1) is not { } starts || (r.Input(4) is not null && r.Longs(4)?.All(step => step == 1) != true)) return null;
        var axes = r.Input(3) is null ? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)] : r.Longs(3);
        if (axes is null) return null;
        var pads = new long[2 * r.X.Rank];   // of every axis: ONNX Runtime moves transposes over a Pad without looking at its axes
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = r.X.Shape.Axis(axes[i]);
            var (size, kept) = (r.X.Shape[axis], r.Y.Shape[axis]);
            var before = starts[i] < 0 ? size + starts[i] : starts[i];
            if (before.Value is not { } front || (size - before - kept).Value is not { } behind || front < 0 || behind < 0) return null;
            (pads[axis], pads[r.X.Rank + axis]) = (front, behind);
        }
        return r.Tape.Op("Pad", [r.G, r.Tape.Longs(pads)]);
    }
}
