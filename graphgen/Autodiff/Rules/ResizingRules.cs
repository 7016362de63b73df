using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of operators that give a feature map another resolution. Notation: x [N, C, L..] input, y output, g = ∂loss/∂y.</summary>
internal static class ResizingRules
{
    public static readonly GradientRule[] All =
    [
        new("Resize", r => [Resize(r), null, null, null]),
        new("SpaceToDepth", r => [r.Tape.Op("DepthToSpace", [r.G], ("blocksize", r.Int("blocksize", 1)))]),

        // Blocks of a channel lie together (CRD) or the channels of a block do (DCR, which SpaceToDepth undoes).
        new("DepthToSpace", r =>
        {
            var block = r.Int("blocksize", 1);
            var depth = r.Tape.Op("SpaceToDepth", [r.G], ("blocksize", block));
            if (r.String("mode", "DCR") == "DCR") return [depth];
            var sizes = Expr.Concat(0, r.Tape.Longs(0, block * block), r.Y.SizeOf(1), r.Tape.Longs(-1));
            var blocks = r.Tape.Op("Reshape", [depth, sizes]);   // [N, block², channels, places]
            return [blocks.MoveAxes(0, 2, 1, 3).ReshapeLike(r.X)];
        }),
    ];

    // Resizing is linear and works on each axis alone: y = R·x along it, with the R that resizing the identity shows  ⇒  x̄ = Rᵀ·g.
    private static Expr Resize(GradientCall r)
    {
        if (r.String("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize")
            throw r.Refusal("it crops (tf_crop_and_resize)");
        if (r.String("keep_aspect_ratio_policy", "stretch") != "stretch")
            throw r.Refusal("it keeps an aspect ratio (keep_aspect_ratio_policy)");
        var axes = r.Ints("axes")?.Select(axis => r.X.Shape.Axis(axis)).ToArray() ?? [.. Enumerable.Range(0, r.X.Rank)];
        var g = r.G;
        for (var i = 0; i < axes.Length; i++)
        {
            if (r.X.Shape[axes[i]] == r.Y.Shape[axes[i]] && IsKept(r, i)) continue;
            g = Along(g, axes[i], Resized(r, axes[i], i));
        }
        return g;
    }

    private static bool IsKept(GradientCall r, int index) => Scales(r) is null || r.Floats(2)?[index] == 1;

    private static Expr? Scales(GradientCall r) => r.Input(2) is { } scales && !scales.Shape[0].Is(0) ? scales : null;

    // The identity [L, L], resized along its second axis as the node resizes this axis: [L, L′].
    private static Expr Resized(GradientCall r, int axis, int index)
    {
        var size = r.X.SizeOf(axis);
        var identity = Expr.Zeros(r.Tape, Expr.Concat(0, size, size), r.X.Type).Apply("EyeLike");
        var (one, at) = (r.Tape.Constant(OnnxTensor.Vector(1f)), r.Tape.Longs(index));
        var scales = Scales(r) is { } given ? Expr.Concat(0, one, r.Tape.Op("Gather", [given, at])) : (Expr?)null;
        var sizes = scales is null ? Expr.Concat(0, size, r.Tape.Op("Gather", [r.Input(3)!.Value, at])) : (Expr?)null;
        var attributes = r.Attributes.Where(attribute => attribute.Name is not ("axes" or "keep_aspect_ratio_policy"));
        return r.Tape.Op("Resize", [identity, null, scales, sizes], [.. attributes]);
    }

    private static Expr Along(Expr g, int axis, Expr matrix)
    {
        int[] order = [.. Enumerable.Range(0, g.Rank).Where(other => other != axis), axis];
        int[] back = [.. Enumerable.Range(0, g.Rank).Select(place => Array.IndexOf(order, place))];
        return g.MoveAxes(order).MatMul(matrix.T).MoveAxes(back);
    }
}
