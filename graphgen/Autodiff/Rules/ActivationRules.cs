using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of activations. Notation: x input, y output, g = ∂loss/∂y. Forms are those with the fewest passes over a large
/// tensor.</summary>
internal static class ActivationRules
{
    public static readonly GradientRule[] All =
    [
        // The HardSigmoid is a step in one vectorised pass (Sign and Where are none).
        GradientRule.Unary("Relu", (g, _, y) => g * y.Apply("HardSigmoid", ("alpha", 1e30f), ("beta", 0f))),
        GradientRule.Unary("Tanh", (g, _, y) => g * (1 - (y * y))),
        GradientRule.Unary("Sigmoid", (g, _, y) => g * (y * (1 - y))),
        GradientRule.Unary("Softplus", (g, x, _) => g * x.Apply("Sigmoid")),
        new("LeakyRelu", r => [r.G.Where(IsPositive(r.X), r.G * r.Float("alpha", 0.01f))]),

        // y = α(eˣ − 1) below zero  ⇒  y′ = y + α there
        new("Elu", r => [r.G.Where(IsPositive(r.X), r.G * (r.Y + r.Float("alpha", 1)))]),

        // y = γ·x above zero, γα(eˣ − 1) below  ⇒  y′ = γ, y + γα
        new("Selu", r =>
        {
            var (alpha, gamma) = (r.Float("alpha", 1.67326319f), r.Float("gamma", 1.05070102f));
            return [r.G * r.Tape.Scalar(gamma, r.G.Type).Where(IsPositive(r.X), r.Y + (gamma * alpha))];
        }),

        // y = x above zero, α(e^{x/α} − 1) below  ⇒  y′ = 1, y/α + 1
        new("Celu", r => [r.G.Where(IsPositive(r.X), r.G * ((r.Y / r.Float("alpha", 1)) + 1))]),

        // y = x above zero, s·x below
        new("PRelu", r =>
        {
            var (x, slope) = r;
            return [r.G.Where(IsPositive(x), r.G * slope), r.Tape.Scalar(0, x.Type).Where(IsPositive(x), r.G * x)];
        }),
        new("ThresholdedRelu", r => [WhereAbove(r.X, r.Float("alpha", 1), r.G)]),
        new("Shrink", r => [WhereAbove(r.X.Apply("Abs"), r.Float("lambd", 0.5f), r.G)]),

        // y = x/(1 + |x|)  ⇒  y′ = (1 − |y|)²
        GradientRule.Unary("Softsign", (g, _, y) =>
        {
            var rest = 1 - y.Apply("Abs");
            return g * (rest * rest);
        }),

        // y = x·t, t = tanh(softplus x)  ⇒  y′ = t + x·(1 − t²)·σ(x)
        GradientRule.Unary("Mish", (g, x, _) =>
        {
            var t = x.Apply("Softplus").Apply("Tanh");
            return g * (t + (x * (1 - (t * t)) * x.Apply("Sigmoid")));
        }),

        // y = x·min(max(x/6 + ½, 0), 1)  ⇒  y′ = the second factor + x/6 where that is neither 0 nor 1
        GradientRule.Unary("HardSwish", (g, x, _) =>
        {
            var factor = x.Apply("HardSigmoid", ("alpha", 1f / 6), ("beta", 0.5f));
            return g * (factor + (x / 6).Where(IsBetween(factor), x.Tape.Scalar(0, x.Type)));
        }),
        new("HardSigmoid", r => [(r.G * r.Float("alpha", 0.2f)).Where(IsBetween(r.Y), r.Tape.Scalar(0, r.G.Type))]),

        // y′ = 2/√π·exp(−x²) = exp(ln(2/√π) − x²)
        GradientRule.Unary("Erf", (g, x, _) => g * (Math.Log(2 / Math.Sqrt(Math.PI)) - (x * x)).Exp()),
        new("Gelu", r => [r.G * (r.String("approximate", "none") == "tanh" ? TanhGeluSlope(r.X) : GeluSlope(r.X))]),
        new(OrtOps.Gelu, r => [r.G * GeluSlope(r.X)]),
        new(OrtOps.BiasGelu, r =>
        {
            var (x, bias) = r;
            var gradient = r.G * GeluSlope(x + bias);
            return [gradient, gradient];
        }),
        new(OrtOps.FastGelu, r =>
        {
            var gradient = r.G * TanhGeluSlope(r.Input(1) is { } bias ? r.X + bias : r.X);
            return [gradient, gradient];
        }),

        // y = x·σ, σ = sigmoid(αx)  ⇒  y′ = σ + αy·(1 − σ) = z + σ·(1 − z), z = αy
        new(OrtOps.QuickGelu, r =>
        {
            var alpha = r.Float("alpha", 1.702f);
            var (sigma, z) = (r.X.Scaled(alpha).Apply("Sigmoid"), r.Y.Scaled(alpha));
            return [r.G * (z + (sigma * (1 - z)))];
        }),
    ];

    // y = x·Φ(x)  ⇒  y′ = Φ(x) + x·φ(x). With t = x/√2: Φ = ½ + ½·erf t (HardSigmoid: one pass for both halves), φ = exp(−t² − ½·ln 2π).
    private static Expr GeluSlope(Expr x)
    {
        var t = x * Math.Sqrt(0.5);
        var cumulative = t.Apply("Erf").Apply("HardSigmoid", ("alpha", 0.5f), ("beta", 0.5f));
        return cumulative + (x * ((-0.5 * Math.Log(2 * Math.PI)) - (t * t)).Exp());
    }

    // y = x·σ(u), u = 2√(2/π)·(x + 0.044715·x³)  ⇒  y′ = σ·(1 + (1 − σ)·x·u′), x·u′ = 3u − 4√(2/π)·x
    private static Expr TanhGeluSlope(Expr x)
    {
        var k = 2 * Math.Sqrt(2 / Math.PI);
        var u = x * ((x * x * (0.044715 * k)) + k);
        var sigma = u.Apply("Sigmoid");
        return sigma * (((1 - sigma) * ((u * 3) - (x * (2 * k)))) + 1);
    }

    // g where x is above a number
    private static Expr WhereAbove(Expr x, double least, Expr g) =>
        g.Where(x.Apply("Greater", x.Tape.Scalar(least, x.Type)), x.Tape.Scalar(0, g.Type));

    private static Expr IsPositive(Expr x) => x.Apply("Greater", x.Tape.Scalar(0, x.Type));

    private static Expr IsBetween(Expr x) => IsPositive(x).Apply("And", x.Apply("Less", x.Tape.Scalar(1, x.Type)));
}
