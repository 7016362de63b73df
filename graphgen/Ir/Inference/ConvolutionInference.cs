namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Convolutions without automatic padding. Notation: x [N, C, L..], y [N, M, L′..], kernel k.. after the two axes of channels.</summary>
internal static class ConvolutionInference
{
    public static readonly InferenceRule[] All =
    [
        new("Conv", f => Infer(f, channelAxis: 0, (length, reach, pads, stride) => Dim.Divide(length + pads - reach - 1, stride) is { } steps ? steps + 1 : null)),
        new("ConvTranspose", f => Infer(f, channelAxis: 1, (length, reach, pads, stride) => ((length - 1) * stride) + reach + 1 - pads)),
    ];

    // reach: distance from the first to the last element under the kernel.
    private static void Infer(NodeFacts f, int channelAxis, Func<Dim, long, long, long, Dim?> length)
    {
        if (f.Shape(0) is not { Rank: >= 3 } x || f.Shape(1) is not { Known: { } kernel } || !HasOwnPads(f.Node) || f.Node.Ints("output_shape") is not null)
        {
            f.Set(0, f.Type(0), f.Shape(0) is { } unknown ? f.FreshShape(0, unknown.Rank) : null);
            return;
        }
        var axes = x.Rank - 2;
        var (pads, strides, dilations) = (f.Node.Ints("pads") ?? new long[2 * axes], f.Node.Ints("strides") ?? [.. Enumerable.Repeat(1L, axes)], f.Node.Ints("dilations") ?? [.. Enumerable.Repeat(1L, axes)]);
        var extra = f.Node.Ints("output_padding") ?? new long[axes];
        var channels = kernel[channelAxis] * (channelAxis == 1 ? f.Int("group", 1) : 1);
        f.Set(0, f.Type(0), [x[0], channels, .. Enumerable.Range(0, axes).Select(axis =>
            length(x[axis + 2], dilations[axis] * (kernel[axis + 2] - 1), pads[axis] + pads[axes + axis], strides[axis]) is { } size ? size + extra[axis] : f.Fresh(0, axis + 2))]);
    }

    private static bool HasOwnPads(Node node) => node.String("auto_pad", "NOTSET") is "NOTSET" or "VALID";
}
