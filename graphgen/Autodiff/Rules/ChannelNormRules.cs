using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of norms of feature maps and vectors. Notation: x [N, C, L..] input, y output, g = ∂loss/∂y, γ and β one number a
/// channel.</summary>
internal static class ChannelNormRules
{
    public static readonly GradientRule[] All =
    [
        new("GroupNormalization", r => Grouped(r, r.Int("num_groups", 1))),
        new("InstanceNormalization", r => Grouped(r, 0)),

        // y = (x − μ)·s∘γ + β, s = 1/√(v + ε), μ and v stored
        // ⇒  x̄ = g∘γ·s, γ̄ = Σ g∘(x − μ)·s, β̄ = Σ g, μ̄ = −Σ x̄, v̄ = −½·Σ x̄∘(x − μ)·s²
        new("BatchNormalization", r =>
        {
            if (r.Flag("training_mode")) throw r.Refusal("it takes statistics of the batch (training_mode)");
            Expr Channel(int input) => OfChannels(r.Input(input)!.Value, r.X.Rank);
            var s = 1 / (Channel(4) + r.Float("epsilon", 1e-5f)).Sqrt();
            var d = r.X - Channel(3);
            var x = r.G * (Channel(1) * s);
            return [x, ByChannel(r.G * (d * s)), ByChannel(r.G), -ByChannel(x), ByChannel(x * d * (s * s)) * -0.5];
        }),

        // y = x/‖x‖  ⇒  x̄ = (g − ∂‖x‖/∂x·Σ g∘y)/‖x‖, ∂‖x‖/∂x = y, or sign x for the sum of absolute values
        new("LpNormalization", r =>
        {
            var (axis, isSum) = (r.Int("axis", -1), r.Int("p", 2) == 1);
            var length = r.X.Reduce(isSum ? "ReduceL1" : "ReduceL2", [axis], keep: true);
            return [(r.G - ((isSum ? r.X.Apply("Sign") : r.Y) * (r.G * r.Y).Sum(axis))) / length];
        }),

        // y = d/(σ + 1e-9), d = x − μ, σ = √mean d²  ⇒  x̄ = (g − mean g − y·mean(g∘y))/σ
        new("MeanVarianceNormalization", r =>
        {
            var axes = r.Ints("axes") ?? [0, 2, 3];
            var d = r.X - r.X.Mean(axes);
            return [(r.G - r.G.Mean(axes) - (r.Y * (r.G * r.Y).Mean(axes))) / (d * d).Mean(axes).Sqrt()];
        }),
        new("LRN", LocalResponse),
    ];

    // y = n∘γ + β, n = d·s, d = x − μ over a group of channels (0: each for itself)
    //   ⇒  x̄ = s·(h − mean h − d·s²·mean(h∘d)), h = g∘γ;  γ̄ = Σ g∘n, β̄ = Σ g
    private static IReadOnlyList<Expr?> Grouped(GradientCall r, long groups)
    {
        var (x, gamma, _) = r;
        Expr Rows(Expr map) => map.Reshape(0, groups, -1);   // [N, groups, elements of a group]
        var rows = Rows(x);
        var d = rows - rows.Mean(2);
        var s = 1 / ((d * d).Mean(2) + r.Float("epsilon", 1e-5f)).Sqrt();
        var h = Rows(r.G * OfChannels(gamma, x.Rank));
        var back = s * (h - h.Mean(2) - (d * (s * s * (h * d).Mean(2))));
        return [back.ReshapeLike(x), ByChannel(r.G * (d * s).ReshapeLike(x)), ByChannel(r.G)];
    }

    // y = x·S^−β, S = bias + α/size·W(x²), W the sum over neighbouring channels  ⇒  x̄ = g·S^−β − 2αβ/size·x·Wᵀ(g·y/S)
    private static IReadOnlyList<Expr?> LocalResponse(GradientCall r)
    {
        var (size, beta) = ((int)r.Int("size", 1), r.Float("beta", 0.75f));
        if (r.X.Shape[1].Value is not { } channels) throw r.Refusal("its number of channels is not known");
        var (before, after) = ((size - 1) / 2, size / 2);
        var alpha = (double)r.Float("alpha", 1e-4f) / size;
        var sums = (Window(r.X * r.X, before, after) * alpha) + r.Float("bias", 1);
        var power = sums.Apply("Pow", r.Tape.Scalar(-beta, r.X.Type));
        return [(r.G * power) - (r.X * Window(r.G * r.Y / sums, after, before) * (2 * alpha * beta))];

        Expr Window(Expr map, int front, int back)
        {
            var pads = new long[2 * map.Rank];
            (pads[1], pads[map.Rank + 1]) = (front, back);
            var padded = map.Tape.Op("Pad", [map, map.Tape.Longs(pads)]);
            return Enumerable.Range(0, size).Select(start => padded.Slice(1, start, start + channels)).Aggregate((sum, part) => sum + part);
        }
    }

    // [C] → [C, 1, ..]
    private static Expr OfChannels(Expr vector, int rank) =>
        rank == 2 ? vector : vector.Unsqueeze([.. Enumerable.Range(1, rank - 2).Select(axis => (long)axis)]);

    /// <summary>Σ over all but the channels: [N, C, L..] → [C].</summary>
    public static Expr ByChannel(Expr map) =>
        map.Reduce("ReduceSum", [0, .. Enumerable.Range(2, map.Rank - 2).Select(axis => (long)axis)], keep: false);
}
