using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Autodiff.Rules;

namespace LoRTA.Onnx.GraphGen.Autodiff;

/// <summary>All rules, and which operator each belongs to.</summary>
internal static class GradientRules
{
    public static readonly IReadOnlyList<GradientRule> All =
    [
        .. ElementwiseRules.All,
        .. ActivationRules.All,
        .. ProductRules.All,
        .. ConvolutionRules.All,
        .. NormalizationRules.All,
        .. ReductionRules.All,
        .. ShapeRules.All,
        .. IndexingRules.All,
        .. GradientRule.NoGradient(
            "Shape", "Size", "ArgMax", "ArgMin", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not", "Xor", "IsNaN", "IsInf",
            "NonZero", "OneHot", "Range", "ConstantOfShape", "EyeLike", "Floor", "Ceil", "Round", "Sign", "DequantizeLinear",
            "RandomUniformLike", "RandomNormalLike", "Bernoulli"),
    ];

    private static readonly FrozenDictionary<string, GradientRule> ByOperator = All.ToFrozenDictionary(rule => rule.Op, StringComparer.Ordinal);

    public static GradientRule? Find(string op) => ByOperator.GetValueOrDefault(op);
}
