using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of whole losses. Notation: p [N, C, d..] log-probabilities, t [N, d..] classes, w weights of classes, g =
/// ∂loss/∂y.</summary>
internal static class LossRules
{
    public static readonly GradientRule[] All =
    [
        new("NegativeLogLikelihoodLoss", r => [OfLogProbabilities(r, r.X), null, null]),

        // p = log softmax(x)  ⇒  x̄ = p̄ − eᵖ·Σ p̄
        new("SoftmaxCrossEntropyLoss", r =>
        {
            var gradient = OfLogProbabilities(r, r.X);
            if (r.IsUsed(1)) gradient += r.Gradient(1);
            return [gradient - (r.X.Apply("LogSoftmax", ("axis", 1)).Exp() * gradient.Sum(1)), null, null];
        }) { Outputs = 2 },
    ];

    // y = −Σ w[t]·p[t], over Σ w[t] where it is a mean  ⇒  p̄ = −g·w[t] at t, 0 elsewhere and where t does not count
    private static Expr OfLogProbabilities(GradientCall r, Expr p)
    {
        var (_, target) = r;
        var weight = r.Tape.Scalar(1, p.Type);
        var index = target;
        if (r.Attributes.Any(attribute => attribute.Name == "ignore_index"))
        {
            var ignored = target.Apply("Equal", r.Tape.Scalar(r.Int("ignore_index", 0), target.Type));
            index = r.Tape.Scalar(0, target.Type).Where(ignored, target);
            weight = r.Tape.Scalar(0, p.Type).Where(ignored, weight);
        }
        weight = (r.Input(2) is { } weights ? weight * r.Tape.Op("Gather", [weights, index]) : weight).ExpandLike(index);
        var each = r.String("reduction", "mean") == "mean" ? r.G / weight.Total() : r.G;
        return p.Zeros().ScatterAdd(index.Unsqueeze(1), -(each * weight).Unsqueeze(1), 1);
    }
}
