using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Autodiff;

/// <summary>How the gradient passes one operator from its outputs to its inputs.</summary>
/// <remarks>Training brings graphs to opset 21, so the rule is that of the operator there. It checks nothing that all rules would have to:
/// which gradients are wanted, broadcasting and names are the engine's.</remarks>
/// <param name="Op">Operator, <c>domain::Name</c> outside ONNX's own set.</param>
/// <param name="Inputs">Gradients of the inputs by position, not yet summed over broadcast axes; null = none. The function itself is null
/// where the operator passes nothing.</param>
[Experimental(Unsettled.Id)]
public sealed record GradientRule(string Op, Func<GradientCall, IReadOnlyList<Expr?>>? Inputs)
{
    /// <summary>Through how many of its outputs the rule knows the way.</summary>
    public int Outputs { get; init; } = 1;

    /// <summary>Why there is no gradient although the operator has one; null where there is a rule.</summary>
    internal string? Reason { get; init; }

    /// <summary>An operator of one input whose gradient follows from g = ∂loss/∂y, its input x and its output y.</summary>
    public static GradientRule Unary(string op, Func<Expr, Expr, Expr, Expr> gradient) => new(op, r => [gradient(r.G, r.X, r.Y)]);

    /// <summary>Operators that are flat wherever they are smooth, or whose result is no number that moves.</summary>
    internal static IEnumerable<GradientRule> NoGradient(params IEnumerable<string> ops) => ops.Select(op => new GradientRule(op, null));

    /// <summary>Operators that have a gradient which is not derived here.</summary>
    internal static IEnumerable<GradientRule> Refused(string reason, params IEnumerable<string> ops) =>
        ops.Select(op => new GradientRule(op, call => throw call.Refusal(reason)) { Reason = reason });
}
