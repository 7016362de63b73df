using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Where the windows of a convolution or a pool lie: of the spatial axes, which follow batch and channels.</summary>
internal sealed record Windows(long[] Kernel, long[] Strides, long[] Dilations, long[] Front, long[] Back)
{
    /// <summary>A size of the kernel that only shows when the graph runs.</summary>
    public const long Unknown = -1;

    private int Axes => Kernel.Length;

    /// <summary>The attribute <c>pads</c>.</summary>
    public long[] Pads => [.. Front, .. Back];

    /// <summary>Whether neighbouring windows are one element apart.</summary>
    public bool IsDense => Strides.All(stride => stride == 1);

    /// <summary>The kernel's size along an axis, where it must be known.</summary>
    public long KernelSize(GradientCall r, int axis) =>
        Kernel[axis] != Unknown ? Kernel[axis] : throw r.Refusal("the size of its kernel is not known");

    /// <summary>Reads a node's attributes.</summary>
    /// <param name="r">The node.</param>
    /// <param name="kernel">Size of a window.</param>
    /// <param name="x">What the windows lie in.</param>
    public static Windows Of(GradientCall r, long[] kernel, Expr x)
    {
        var at = r.Windows(kernel.Length);
        var windows = new Windows(kernel, at.Strides, at.Dilations, at.Front, at.Back);
        return at.IsPaddingGiven ? windows : windows.Same(r, x, isUpper: at.Padding == "SAME_UPPER");
    }

    /// <summary>Every window's number added back to each place under the window.</summary>
    /// <param name="g">[N, C, windows..].</param>
    /// <param name="x">What the windows lie in, [N, C, L..].</param>
    public Expr Spread(Expr g, Expr x)
    {
        var count = (int)Kernel.Size();
        var ones = OnnxTensor.Of<float>([1, 1, .. Kernel], [.. Enumerable.Repeat(1f, count)]);
        var flat = Alone(g);
        var full = g.Tape.Op("ConvTranspose", [flat, g.Tape.Constant(ones).Cast(g.Type)], ("strides", Strides), ("dilations", Dilations));
        return Fitted(full, x).ReshapeLike(x);
    }

    /// <summary>Windows put back without padding, [.., F], cut or filled up to the places of x, [.., L].</summary>
    public Expr Fitted(Expr full, Expr x)
    {
        Expr[] front = [full.Tape.Longs(0, 0), .. Front.Select(pad => full.Tape.Longs(-pad))];
        Expr[] back = [full.Tape.Longs(0, 0), .. Enumerable.Range(0, Axes).Select(axis => Rest(full, x, axis))];
        return full.Tape.Op("Pad", [full, Expr.Concat(0, [.. front, .. back])]);
    }

    private Expr Rest(Expr full, Expr x, int axis) => (x.Shape[axis + 2] + Front[axis] - full.Shape[axis + 2]).Value is { } known
        ? full.Tape.Longs(known)
        : x.SizeOf(axis + 2) - full.SizeOf(axis + 2) + Front[axis];

    // [N, C, L..] → [N·C, 1, L..]
    private static Expr Alone(Expr map)
    {
        var sizes = Expr.Concat(0, [map.Tape.Longs(-1, 1), .. Enumerable.Range(2, map.Rank - 2).Select(map.SizeOf)]);
        return map.Tape.Op("Reshape", [map, sizes]);
    }

    // As many windows as ⌈L/stride⌉, with the padding that this takes: the odd one behind (upper) or in front.
    private Windows Same(GradientCall r, Expr x, bool isUpper)
    {
        var (small, large) = (new long[Axes], new long[Axes]);
        for (var axis = 0; axis < Axes; axis++)
        {
            var reach = (Dilations[axis] * (KernelSize(r, axis) - 1)) + 1;
            var total = Strides[axis] == 1 ? reach - 1 : x.Shape[axis + 2].Value is { } length
                ? Math.Max(0, ((((length + Strides[axis] - 1) / Strides[axis]) - 1) * Strides[axis]) + reach - length)
                : throw r.Refusal("its padding depends on a length that is not known (auto_pad)");
            (small[axis], large[axis]) = (total / 2, total - (total / 2));
        }
        return isUpper ? this with { Front = small, Back = large } : this with { Front = large, Back = small };
    }
}
