using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of softmax and norms. Notation: x input, y output, g = ∂loss/∂y.</summary>
internal static class NormalizationRules
{
    public static readonly GradientRule[] All =
    [
        // y = softmax(x)  ⇒  x̄ = y∘(g − Σ g∘y)
        new("Softmax", r =>
        {
            var y = WithoutNaN(r.Y);
            return [y * (r.G - (r.G * y).Sum(r.Int("axis", -1)))];
        }),

        // y = log softmax(x)  ⇒  x̄ = g − eʸ·Σ g; g of a GatherElements is never made dense
        new("LogSoftmax", r => [r.G.IsScatterOnZeros(r.Axis("axis", -1), out var index, out var picked)
            ? (r.Y.Exp() * -picked.Sum(r.Int("axis", -1))).ScatterAdd(index, picked, r.Int("axis", -1))
            : r.G - (r.Y.Exp() * r.G.Sum(r.Int("axis", -1)))]),

        // y = n∘γ + β, n = (x − μ)·s, s = 1/√(var + ε)  ⇒  x̄ = s·(h − mean h − n·mean(h∘n)), h = g∘γ;  γ̄ = g∘n, β̄ = g
        new("LayerNormalization", r =>
        {
            var (x, gamma) = r;
            var mean = r.Output(1);
            var s = r.Output(2);
            var axes = r.TrailingAxes("axis", -1);
            var (d, h) = (x - mean, r.G * gamma);
            var along = s * s * (h * d).Mean(axes);   // n·mean(h∘n) = d·s²·mean(h∘d); one number a row
            return [s * (h - h.Mean(axes) - (d * along)), r.G * (d * s), r.G];
        }),

        // y = x·s∘γ, s = 1/√(mean x² + ε)  ⇒  x̄ = s·h − x·s³·mean(h∘x), h = g∘γ;  γ̄ = g∘x·s
        new("SimplifiedLayerNormalization", r =>
        {
            var (x, gamma) = r;
            var (s, h) = (r.Output(1), r.G * gamma);
            return [(h * s) - (x * (s * s * s * (h * x).Mean(r.TrailingAxes("axis", -1)))), r.G * (x * s)];
        }),
    ];

    /// <summary>Whether a value is Where(IsNaN(p), 0, p) of a softmax p: how exporters keep rows without any visible key from being
    /// NaN.</summary>
    public static bool IsGuard(Value value) =>
        value.Producer is { Op: "Where" } where
        && where.Input(2) is { Producer.Op: "Softmax" } p
        && where.Input(0)!.Producer is { Op: "IsNaN" } test && test.Input(0) == p
        && where.Input(1) is { IsConstant: true, Constant.Count: 1 } zero && zero.Constant!.ToFloats()[0] == 0;

    // In such rows y is to count as 0, or NaN·0 would reach every gradient.
    private static Expr WithoutNaN(Expr y)
    {
        var guarded = y.Value.Uses.Where(use => use.Index == 2).Select(use => use.Node.Output).FirstOrDefault(IsGuard);
        return guarded is null ? y : y.Tape[guarded];
    }
}
