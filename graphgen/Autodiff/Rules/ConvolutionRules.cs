using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of convolutions. Notation: x [N, C, L..], w [M, C/group, k..], y [N, M, L′..], g = ∂loss/∂y.</summary>
internal static class ConvolutionRules
{
    public static readonly GradientRule[] All = [new("Conv", Conv), new("ConvTranspose", ConvTranspose)];

    // y[l] = Σ_t w[t]·x[l·stride + t·dilation − pad]  ⇒  x̄ by the transposed convolution of g
    private static IReadOnlyList<Expr?> Conv(GradientCall r)
    {
        var (x, w) = r;
        var (windows, group) = (Windows.Of(r, Kernel(r, w), x), r.Int("group", 1));
        (string, OnnxAttribute?) dilations = ("dilations", windows.Dilations), groups = ("group", group);
        var back = windows.IsDense
            ? r.Tape.Op("ConvTranspose", [r.G, w], ("pads", windows.Pads), dilations, groups)
            : windows.Fitted(r.Tape.Op("ConvTranspose", [r.G, w], ("strides", windows.Strides), dilations, groups), x);
        return [back, r.IsWanted(1) ? OfWeight(r, x, r.G, windows, group) : null, OfBias(r)];
    }

    // y[l·stride + t·dilation − pad] += w[t]·x[l], w [C, M/group, k..]  ⇒  x̄ by the convolution of g; w̄ as of a convolution from y to x
    private static IReadOnlyList<Expr?> ConvTranspose(GradientCall r)
    {
        var (x, w) = r;
        if (!r.Windows(x.Rank - 2).IsPaddingGiven || r.Ints("output_shape") is not null)
            throw r.Refusal("its padding follows from the output (auto_pad, output_shape)");
        var (windows, group) = (Windows.Of(r, Kernel(r, w), x), r.Int("group", 1));
        var back = r.Tape.Op("Conv", [r.G, w],
            ("pads", windows.Pads), ("strides", windows.Strides), ("dilations", windows.Dilations), ("group", group));
        if (r.Ints("output_padding")?.Any(extra => extra != 0) == true)
            back = (windows with { Front = new long[windows.Kernel.Length] }).Fitted(back, x);
        return [back, r.IsWanted(1) ? OfWeight(r, r.G, x, windows, group) : null, OfBias(r)];
    }

    private static long[] Kernel(GradientCall r, Expr w) =>
        r.Ints("kernel_shape") ?? [.. w.Shape.Skip(2).Select(dim => dim.Value ?? Windows.Unknown)];

    // w̄[t] = Σ_l g[l]·x[l·stride + t·dilation − pad]: a convolution of x by g that has stride and dilation the other way round; each group
    // on its own.
    private static Expr OfWeight(GradientCall r, Expr x, Expr g, Windows windows, long group)
    {
        int[] spatial = [.. Enumerable.Range(2, x.Rank - 2)];
        int[] swapped = [1, 0, .. spatial];
        var data = x.MoveAxes(swapped);   // [C, N, L..]
        if (group > 1)
        {
            if (x.Shape[1].Value is not { } channels) throw r.Refusal("the number of its channels is not known");
            var parted = Expr.Concat(0, [x.SizeOf(0), r.Tape.Longs(group, channels / group), .. spatial.Select(x.SizeOf)]);
            var parts = r.Tape.Op("Reshape", [x, parted])   // [N, group, C/group, L..]
                .MoveAxes([2, 1, 0, .. spatial.Select(axis => axis + 1)]);
            var merged = Expr.Concat(0, [r.Tape.Longs(channels / group, -1), .. spatial.Select(x.SizeOf)]);
            data = r.Tape.Op("Reshape", [parts, merged]);   // [C/group, group·N, L..]
        }
        var result = r.Tape.Op("Conv", [data, g.MoveAxes(swapped)],
            ("pads", windows.Pads), ("strides", windows.Dilations), ("dilations", windows.Strides), ("group", group));

        // strides may leave a rest behind the last window
        for (var axis = 0; axis < windows.Kernel.Length && !windows.IsDense; axis++)
            result = result.Slice(axis + 2, 0, windows.KernelSize(r, axis));
        return result.MoveAxes(swapped);
    }

    private static Expr? OfBias(GradientCall r) => r.Input(2) is null ? null : ChannelNormRules.ByChannel(r.G);
}
