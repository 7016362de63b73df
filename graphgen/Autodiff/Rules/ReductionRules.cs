using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of reductions. Notation: x input, y output, g = ∂loss/∂y; spread(z) = z with the reduced axes back, as axes of length
/// 1.</summary>
internal static class ReductionRules
{
    public static readonly GradientRule[] All =
    [
        new("ReduceSum", r => [Spread(r, r.G).ExpandLike(r.X), null]),
        new("ReduceMean", r => [Spread(r, PerElement(r)).ExpandLike(r.X), null]),
        new("ReduceSumSquare", r => [r.X * Spread(r, r.G * 2), null]),
        new("ReduceL1", r => [r.X.Apply("Sign") * Spread(r, r.G), null]),
        new("ReduceL2", r => [r.X * Spread(r, r.G / r.Y.Apply("Max", r.Tape.Scalar(1e-30, r.Y.Type))), null]),   // 0 where all of x is 0
        new("ReduceLogSumExp", r => [Spread(r, r.G) * (r.X - Spread(r, r.Y)).Exp(), null]),
        new("ReduceLogSum", r => [Spread(r, r.G / r.Y.Exp()).ExpandLike(r.X), null]),
        new("ReduceProd", Product),
        new("ReduceMax", Extreme),
        new("ReduceMin", Extreme),

        // y = Σ_{j ≤ i} xⱼ  ⇒  x̄ᵢ = Σ_{j ≥ i} gⱼ
        new("CumSum", r =>
        {
            var (_, axis) = r;
            return [r.Tape.Op("CumSum", [r.G, axis], ("exclusive", r.Int("exclusive", 0)), ("reverse", 1 - r.Int("reverse", 0))), null];
        }),
    ];

    private static Expr Spread(GradientCall r, Expr z)
    {
        if (z.Rank == r.X.Rank || z.Rank == 0) return z;   // a scalar broadcasts by itself
        return z.Unsqueeze(r.Longs(1) ?? throw r.Refusal("its axes are computed when the graph runs"));
    }

    private static Expr PerElement(GradientCall r) => Dim.Divide(r.X.Shape.Size, r.Y.Shape.Size)?.Value is { } count
        ? r.G / count
        : r.G * r.Y.Size().Cast(r.G.Type) / r.X.Size().Cast(r.G.Type);

    // y = Π x ⇒ x̄ᵢ = g·Π_{j ≠ i} xⱼ: p/x without a zero in x, p at the only zero, 0 beside a zero, where p is the product of what is not
    // zero
    private static IReadOnlyList<Expr?> Product(GradientCall r)
    {
        var (one, zero) = (r.Tape.Scalar(1, r.X.Type), r.Tape.Scalar(0, r.X.Type));
        var isZero = r.X.Apply("Equal", zero);
        var others = one.Where(isZero, r.X);
        var (product, zeros) = (Spread(r, r.Again(others)), Spread(r, r.Again("ReduceSum", isZero.Cast(r.X.Type))));
        var beside = zero.Where(zeros.Apply("Greater", zero), product / others);
        return [Spread(r, r.G) * product.Where(isZero.Apply("And", zeros.Apply("Equal", one)), beside), null];
    }

    // The elements that reach the extreme share the gradient.
    private static IReadOnlyList<Expr?> Extreme(GradientCall r)
    {
        var hits = r.X.Apply("Equal", Spread(r, r.Y)).Cast(r.G.Type);
        return [hits * Spread(r, r.G / r.Again("ReduceSum", hits)), null];
    }
}
