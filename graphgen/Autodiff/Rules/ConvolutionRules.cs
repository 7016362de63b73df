using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of convolutions. Notation: x [N, C, L..], w [M, C/group, k..], y [N, M, L′..], g = ∂loss/∂y.</summary>
internal static class ConvolutionRules
{
    public static readonly GradientRule[] All = [new("Conv", Conv)];

    // y[l] = Σ_t w[t]·x[l + t·dilation − pad]  ⇒  x̄ by the transposed convolution of g; w̄[t] = Σ_l g[l]·x[l + t·dilation − pad], a convolution of x by g whose stride is the dilation.
    private static IReadOnlyList<Expr?> Conv(GradientCall r)
    {
        if (r.String("auto_pad", "NOTSET") is not ("NOTSET" or "VALID")) throw r.Refusal("its padding is automatic (auto_pad)");
        if (r.Ints("strides")?.Any(stride => stride != 1) == true) throw r.Refusal("its stride is not 1");
        var (x, w) = r;
        var (group, pads, dilations) = (r.Int("group", 1), r.Ints("pads") is { } given ? (Attr?)given : null, r.Ints("dilations") is { } steps ? (Attr?)steps : null);
        if (group != 1 && r.IsWanted(1)) throw r.Refusal("its weight is trained and its channels are grouped");
        int[] swapped = [1, 0, .. Enumerable.Range(2, x.Rank - 2)];
        return
        [
            r.Tape.Op("ConvTranspose", [r.G, w], ("pads", pads), ("dilations", dilations), ("group", group)),
            group != 1 ? null : r.Tape.Op("Conv", [x.MoveAxes(swapped), r.G.MoveAxes(swapped)], ("pads", pads), ("strides", dilations)).MoveAxes(swapped),
            r.Input(2) is null ? null : r.G.Reduce("ReduceSum", [0, .. Enumerable.Range(2, x.Rank - 2).Select(axis => (long)axis)], keep: false),
        ];
    }
}
