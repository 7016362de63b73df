using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of arithmetic and functions element by element. Notation: a, b, x inputs, y output, g = ∂loss/∂y.</summary>
internal static class ElementwiseRules
{
    public static readonly GradientRule[] All =
    [
        new("Identity", r => [r.G]),
        new("Cast", r => [r.X.Type.IsFloat() ? r.G.Cast(r.X.Type) : null]),
        new("CastLike", r => [r.X.Type.IsFloat() ? r.G.Cast(r.X.Type) : null, null]),
        new("Add", r => [r.G, r.G]),
        new("Sum", r => [.. r.Inputs.Select(_ => (Expr?)r.G)]),
        new("Mean", r => [.. Enumerable.Repeat((Expr?)r.G.Scaled(1.0 / r.Inputs.Count), r.Inputs.Count)]),
        new("Sub", r =>
        {
            var (_, b) = r;
            return [r.G, -r.G.SumTo(b)];   // summed first: b is often smaller
        }),
        new("Mul", r =>
        {
            var (a, b) = r;
            return [r.G * b, r.G * a];
        }),

        // y = a/b  ⇒  ā = g/b, b̄ = −ā∘y
        new("Div", r =>
        {
            var (_, b) = r;
            var a = r.G / b;
            return [a, -(a * r.Y).SumTo(b)];
        }),
        GradientRule.Unary("Neg", (g, _, _) => -g),
        GradientRule.Unary("Abs", (g, x, _) => g * x.Apply("Sign")),
        GradientRule.Unary("Sqrt", (g, _, y) => g * 0.5 / y),
        GradientRule.Unary("Reciprocal", (g, _, y) => -(g * y * y)),
        GradientRule.Unary("Exp", (g, _, y) => g * y),
        GradientRule.Unary("Log", (g, x, _) => g / x),
        GradientRule.Unary("Sin", (g, x, _) => g * x.Apply("Cos")),
        GradientRule.Unary("Cos", (g, x, _) => -(g * x.Apply("Sin"))),
        GradientRule.Unary("Tan", (g, _, y) => g * ((y * y) + 1)),
        GradientRule.Unary("Asin", (g, x, _) => g / (1 - (x * x)).Sqrt()),
        GradientRule.Unary("Acos", (g, x, _) => -g / (1 - (x * x)).Sqrt()),
        GradientRule.Unary("Atan", (g, x, _) => g / ((x * x) + 1)),
        GradientRule.Unary("Sinh", (g, x, _) => g * x.Apply("Cosh")),
        GradientRule.Unary("Cosh", (g, x, _) => g * x.Apply("Sinh")),
        GradientRule.Unary("Asinh", (g, x, _) => g / ((x * x) + 1).Sqrt()),
        GradientRule.Unary("Acosh", (g, x, _) => g / ((x * x) - 1).Sqrt()),
        GradientRule.Unary("Atanh", (g, x, _) => g / (1 - (x * x))),

        // y = a − b·n with a whole number n  ⇒  ā = g, b̄ = −g∘n
        new("Mod", r =>
        {
            var (a, b) = r;
            return [r.G, -r.G * ((a - r.Y) / b).Apply("Round")];
        }),

        // Identity in an exported graph.
        new("Dropout", r => r.Input(2) is null || r.Number(2) == 0
            ? [r.G, null, null]
            : throw r.Refusal("it drops at random (training_mode)")),
        new("Pow", Pow),
        new("Max", Extreme),
        new("Min", Extreme),

        // What is clipped does not move.
        new("Clip", r => [r.G.Where(r.X.Apply("Equal", r.Y), r.Tape.Scalar(0, r.G.Type)), null, null]),
        new("Where", r =>
        {
            var (condition, _, _) = r;
            if (NormalizationRules.IsGuard(r.Y.Value)) return [null, null, r.G];   // the softmax before it sends back zeros there
            var zero = r.Tape.Scalar(0, r.G.Type);
            return [null, r.G.Where(condition, zero), zero.Where(condition, r.G)];   // never g·0: g may be infinite where it is not wanted
        }),
    ];

    // y = xᶜ  ⇒  x̄ = g·c·xᶜ⁻¹, c̄ = g∘y∘ln x
    private static IReadOnlyList<Expr?> Pow(GradientCall r)
    {
        var (x, c) = r;
        Expr slope = r.Number(1) switch
        {
            1 => r.G,
            2 => r.G * (x * 2),
            3 => r.G * (x * x * 3),
            0.5 => r.G * 0.5 / r.Y,
            -1 => -(r.G * r.Y * r.Y),
            { } number => r.G * (x.Apply("Pow", r.Tape.Scalar(number - 1, x.Type)) * number),
            null => r.G * (c.Cast(x.Type) * x.Apply("Pow", c - 1)),
        };
        return [slope, c.Type.IsFloat() ? r.G * r.Y * x.Apply("Log").Cast(r.G.Type) : null];
    }

    // The inputs that reach the extreme share the gradient.
    private static IReadOnlyList<Expr?> Extreme(GradientCall r)
    {
        var hits = r.Inputs.Select(input => input.Apply("Equal", r.Y).Cast(r.G.Type)).ToArray();
        if (hits.Length == 1) return [r.G];
        var share = r.G / hits.Aggregate((sum, hit) => sum + hit);
        return [.. hits.Select(hit => (Expr?)(share * hit))];
    }
}
