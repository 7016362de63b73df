using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Convolutions and pools. Notation: x [N, C, L..], y [N, M, L′..], kernel k.. along the axes after batch and channels.</summary>
internal static class ConvolutionInference
{
    public static readonly InferenceRule[] All =
    [
        new("Conv", f => Convolved(f, f.Shape(1, 1)?.Known is { } kernel ? kernel[0] : null)),
        new("ConvTranspose", Transposed),
        .. InferenceRule.For(Pooled, "AveragePool", "LpPool", "MaxPool"),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0, 2) is { } x
            ? [x[0], x[1], .. Enumerable.Repeat(new Dim(1), x.Rank - 2)]
            : null), "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), Blocks(f, 1, 2)), "SpaceToDepth"),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), Blocks(f, 2, 1)), "DepthToSpace"),
        new("Det", f => f.Set(0, f.Type(0), f.Shape(0, 2) is { } x ? x.Range(0, x.Rank - 2) : null)),
        new("GridSample", f => f.Set(0, f.Type(0), f.Shape(0, 2) is { } x && f.Shape(1, 2) is { } grid
            ? [x[0], x[1], .. grid.Range(1, grid.Rank - 1)]
            : null)),
    ];

    private static void Convolved(NodeFacts f, Dim? channels)
    {
        var kernel = f.Node.Ints("kernel_shape") ?? f.Shape(1, 2)?.Known?[2..];
        f.Set(0, f.Type(0), f.Shape(0) is { Rank: >= 3 } x && kernel is not null
            ? [x[0], channels ?? f.Fresh(0, 1), .. Lengths(f, x, kernel)]
            : Unknown(f));
    }

    private static void Pooled(NodeFacts f)
    {
        Shape? shape = f.Shape(0) is { Rank: >= 3 } x && f.Node.Ints("kernel_shape") is { } kernel
            ? [x[0], x[1], .. Lengths(f, x, kernel)]
            : Unknown(f);
        f.Set(0, f.Type(0), shape);
        f.Set(1, ElementType.Int64, shape);
    }

    // How many windows there are along each axis.
    private static IEnumerable<Dim> Lengths(NodeFacts f, Shape x, long[] kernel)
    {
        if (kernel.Length != x.Rank - 2) throw f.Fail($"{kernel.Length} sizes of a kernel over {x}");
        var (at, isCeiled) = (WindowAttributes.Of(f.Node, kernel.Length), f.Int("ceil_mode", 0) == 1);
        for (var axis = 0; axis < kernel.Length; axis++)
        {
            var length = x[axis + 2];
            var reach = at.Dilations[axis] * (kernel[axis] - 1);
            var stride = at.Strides[axis];
            yield return (at.IsPaddingGiven
                ? Windows(length, at.Front[axis], at.Back[axis], reach, stride, isCeiled)
                : Quotient(length + (stride - 1), stride)) ?? f.Fresh(0, axis + 2);
        }
    }

    private static Dim? Windows(Dim length, long front, long back, long reach, long stride, bool isCeiled)
    {
        var steps = Quotient(length + (front + back - reach - 1 + (isCeiled ? stride - 1 : 0)), stride);
        if (steps is not { } known) return null;
        if (!isCeiled || stride == 1) return known + 1;
        // no window starts behind the tensor
        return known.Value is { } last && length.Value is { } size ? last * stride >= size + front ? last : last + 1 : null;
    }

    private static Dim? Quotient(Dim a, long b) => a.Value is { } known ? known / b : Dim.Divide(a, b);

    private static void Transposed(NodeFacts f)
    {
        if (f.Shape(0) is not { Rank: >= 3 } x
            || f.Shape(1) is not { Known: { } kernel } weight
            || weight.Rank != x.Rank
            || f.Node.Ints("output_shape") is not null
            || WindowAttributes.Of(f.Node, x.Rank - 2) is not { IsPaddingGiven: true } at)
        {
            f.Set(0, f.Type(0), Unknown(f));
            return;
        }
        var axes = x.Rank - 2;
        var extra = f.Node.Ints("output_padding") ?? new long[axes];
        f.AtLeast(extra.Length, axes, "numbers of output_padding");
        f.Set(0, f.Type(0), [x[0], kernel[1] * f.Int("group", 1), .. Enumerable.Range(0, axes).Select(axis =>
            ((x[axis + 2] - 1) * at.Strides[axis]) + (at.Dilations[axis] * (kernel[axis + 2] - 1)) + 1 - at.Front[axis] - at.Back[axis]
                + extra[axis])]);
    }

    // Channels by block², lengths by block, one up and the other down.
    private static Shape? Blocks(NodeFacts f, int times, int over)
    {
        if (f.Shape(0) is not { Rank: 4 } x) return null;
        var block = f.Int("blocksize", 1);
        Dim Scaled(int axis, long by, bool isUp) => isUp ? x[axis] * by : Dim.Divide(x[axis], by) ?? f.Fresh(0, axis);
        return [x[0], Scaled(1, block * block, times < over), Scaled(2, block, times > over), Scaled(3, block, times > over)];
    }

    private static Shape? Unknown(NodeFacts f) => f.Shape(0) is { } x ? f.FreshShape(0, x.Rank) : null;
}
