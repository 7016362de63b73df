using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Operators that pick elements by index, or put them there.</summary>
internal static class IndexingInference
{
    public static readonly InferenceRule[] All =
    [
        new("Gather", f => f.Set(0, f.Type(0), Gather(f, f.Shape(0), "axis"), Picked(f))),
        new("GatherElements", f => f.Set(0, f.Type(0), f.Shape(1))),
        new("GatherND", GatherNd),
        new(OrtOps.GatherBlockQuantized, f => f.Set(0, f.Type(2), Gather(f, Unpacked(f), "gather_axis"))),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0)), "ScatterElements", "Scatter", "ScatterND", "TensorScatter"),
        new("OneHot", OneHot),
        new("NonZero", f => f.Set(0, ElementType.Int64, [f.Shape(0) is { } x ? x.Rank : f.Fresh(0, 0), f.Fresh(0, 1)])),
        new(
            "Compress",
            f => f.Set(
                0, f.Type(0), f.Node.Attributes.ContainsKey("axis") && f.Shape(0) is { } x ? f.FreshShape(0, x.Rank) : f.FreshShape(0, 1))),
        new("TopK", TopK),
        .. InferenceRule.For(Arg, "ArgMax", "ArgMin"),
        new("Unique", f => f.Set(0, f.Type(0), f.FreshShape(0, f.Shape(0) is { } x && f.Node.Attributes.ContainsKey("axis") ? x.Rank : 1))),
    ];

    private static Shape? Gather(NodeFacts f, Shape? x, string axisName)
    {
        if (x is null || f.Shape(1) is not { } index) return null;
        var axis = f.Axis(f.Int(axisName, 0), x.Rank);
        return [.. x.Range(0, axis), .. index, .. x.Range(axis + 1, x.Rank)];
    }

    private static IReadOnlyList<Dim>? Picked(NodeFacts f)
    {
        if (f.Shape(0)?.Rank != 1 || f.Content(0) is not { } content || f.Longs(1) is not { } index) return null;
        return [.. index.Select(i => content[f.Axis(i, content.Count)])];
    }

    // Rows of a quantised table: bytes hold two numbers of four bits, along the last axis.
    // Several codes lie in a byte.
    private static Shape? Unpacked(NodeFacts f)
    {
        var (bits, block) = (f.Int("bits", 4), f.Int("block_size", 128));
        if (bits is not (2 or 4 or 8) || block < 1) throw f.Fail($"no table has blocks of {block} codes of {bits} bits");
        return f.Shape(0, 1) is { } x && f.Type(0) == ElementType.UInt8 ? x.With(x.Rank - 1, x[-1] * (8 / bits)) : f.Shape(0);
    }

    private static void GatherNd(NodeFacts f)
    {
        var shape = f.Shape(0) is { } x && f.Shape(1, 1) is { } index && index[-1].Value is { } depth
            ? index.Range(0, index.Rank - 1).Concat(x.Skip((int)(f.Int("batch_dims", 0) + depth)))
            : null;
        f.Set(0, f.Type(0), shape is null ? null : [.. shape]);
    }

    private static void OneHot(NodeFacts f)
    {
        if (f.Shape(0) is not { } index)
        {
            f.Set(0, f.Type(2), null);
            return;
        }
        var axis = f.Axis(f.Int("axis", -1), index.Rank + 1);
        f.Set(
            0,
            f.Type(2),
            [.. index.Range(0, axis), f.Content(1) is [var depth] ? depth : f.Fresh(0, axis), .. index.Range(axis, index.Rank)]);
    }

    private static void TopK(NodeFacts f)
    {
        Shape? shape = null;
        if (f.Shape(0) is { } x)
        {
            var axis = f.Axis(f.Int("axis", -1), x.Rank);
            var found = f.Node.Attributes.ContainsKey("k") ? f.Int("k", 0)
                : f.Content(1) is [var k] ? k
                : f.Fresh(0, axis);
            shape = x.With(axis, found);
        }
        f.Set(0, f.Type(0), shape);
        f.Set(1, ElementType.Int64, shape);
    }

    private static void Arg(NodeFacts f)
    {
        var axis = f.Shape(0) is { } x ? f.Axis(f.Int("axis", 0), Math.Max(1, x.Rank)) : 0;
        f.Set(
            0,
            ElementType.Int64,
            f.Shape(0) is not { } y
                ? null
                : f.Int("keepdims", 1) == 1
                    ? [.. y.Select((dim, i) => i == axis ? 1 : dim)]
                    : [.. y.Where((_, i) => i != axis)]);
    }
}
