using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Operators that work element by element: the shape is that of the input, or of all inputs broadcast together.</summary>
internal static class ElementwiseInference
{
    public static readonly InferenceRule[] All =
    [
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0)),
            "Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Erf", "Sin", "Cos", "Tan", "Asin", "Acos",
            "Atan",
            "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Tanh", "Sigmoid", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu",
            "ThresholdedRelu", "Softplus", "Softsign",
            "HardSigmoid", "HardSwish", "Mish", "Swish", "Gelu", "Shrink", "Clip", "Softmax", "LogSoftmax", "Hardmax", "CumSum", "Trilu",
            "BitwiseNot", "ReverseSequence",
            "LRN", "LpNormalization", "MeanVarianceNormalization", "InstanceNormalization", "GroupNormalization",
            OrtOps.Gelu, OrtOps.FastGelu, OrtOps.BiasGelu, OrtOps.QuickGelu, OrtOps.BiasSoftmax),
        .. InferenceRule.For(f => f.Set(0, f.Type(0), f.Shape(0), f.Content(0)), "Identity"),
        .. InferenceRule.For(f => f.Set(0, ElementType.Bool, f.Shape(0)), "IsNaN", "IsInf"),
        new("Not", f => f.Set(0, ElementType.Bool, f.Shape(0), Contents.Map(f.Content(0), condition => condition.Is(0) ? 1 : 0))),
        .. InferenceRule.For(
            f => f.Set(0, f.Type(0), Together(f)), "Pow", "Mod", "Sum", "Mean", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor"),
        new("Xor", f => f.Set(0, ElementType.Bool, Together(f))),
        new("And", f => f.Set(0, ElementType.Bool, Together(f),
            Zipped(f, (a, b) => Truth(a, b, isFalse: a.Is(0) || b.Is(0))))),
        new("Or", f => f.Set(0, ElementType.Bool, Together(f),
            Zipped(f, (a, b) => Truth(a, b, isFalse: a.Is(0) && b.Is(0))))),
        new("Less", f => f.Set(0, ElementType.Bool, Together(f), Zipped(f, (a, b) => Contents.IsPositive(b - a)))),
        new("LessOrEqual", f => f.Set(0, ElementType.Bool, Together(f), Zipped(f, (a, b) => Contents.IsPositive(b - a + 1)))),
        new("Greater", f => f.Set(0, ElementType.Bool, Together(f), Zipped(f, (a, b) => Contents.IsPositive(a - b)))),
        new("GreaterOrEqual", f => f.Set(0, ElementType.Bool, Together(f), Zipped(f, (a, b) => Contents.IsPositive(a - b + 1)))),
        new("Equal", f => f.Set(0, ElementType.Bool, Together(f), Zipped(f, Contents.AreEqual))),
        new("Add", f => f.Set(0, f.Type(0), Together(f), Zipped(f, (a, b) => a + b))),
        new("Sub", f => f.Set(0, f.Type(0), Together(f), Zipped(f, (a, b) => a - b))),
        new("Mul", f => f.Set(0, f.Type(0), Together(f), Zipped(f, (a, b) => a * b))),
        new("Div", f => f.Set(0, f.Type(0), Together(f), Zipped(f, Contents.Quotient))),
        new("Min", f => f.Set(0, f.Type(0), Together(f), Zipped(f, Contents.Smaller))),
        new("Max", f => f.Set(0, f.Type(0), Together(f), Zipped(f, Contents.Larger))),
        new("Where", f => f.Set(0, f.Type(1), Together(f), Chosen(f))),
        new("Cast", f => Cast(f, (ElementType)f.Int("to", 0))),
        new("CastLike", f => Cast(f, f.Type(1))),
        new("Dropout", f =>
        {
            f.Set(0, f.Type(0), f.Shape(0));
            f.Set(1, ElementType.Bool, f.Shape(0));
        }),
        .. InferenceRule.For(f =>
        {
            f.Set(0, f.Type(0), f.Shape(0));
            f.Set(1, ElementType.Bool, f.Shape(0));
        }, OrtOps.BiasDropout, OrtOps.BitmaskDropout),
    ];

    private static Shape? Together(NodeFacts f) => f.Broadcast(0, [.. f.Node.Inputs.Select(input => input?.Shape)]);

    private static IReadOnlyList<Dim>? Zipped(NodeFacts f, Func<Dim, Dim, Dim?> operation) => f.Node.Inputs.Count switch
    {
        1 => f.Content(0),
        2 => Contents.Zip(f.Content(0), f.Content(1), operation),
        _ => null,
    };

    private static Dim? Truth(Dim a, Dim b, bool isFalse)
    {
        if (isFalse) return 0;
        return a.IsKnown && b.IsKnown ? 1 : null;
    }

    // The exporters' Where(Equal(shape, -1), ones, shape): the condition is known where a size is compared with a negative number.
    private static IReadOnlyList<Dim>? Chosen(NodeFacts f)
    {
        var choice = f.Content(0);
        return choice is not null && choice.All(condition => condition.IsKnown)
            ? Contents.Zip(
                Contents.Zip(choice, f.Content(1), (condition, then) => condition.Is(0) ? 0 : then),
                Contents.Zip(choice, f.Content(2), (condition, otherwise) => condition.Is(0) ? otherwise : 0),
                (then, otherwise) => then + otherwise)
            : null;
    }

    private static void Cast(NodeFacts f, ElementType type)
    {
        var content = f.Type(0) is ElementType.Int64 or ElementType.Int32 or ElementType.Bool ? f.Content(0) : null;
        f.Set(0, type, f.Shape(0), type switch
        {
            ElementType.Int64 or ElementType.Int32 => content,
            ElementType.Bool => Contents.Map(content, element => element.Value is { } value ? (value == 0 ? 0 : 1) : null),
            _ => null,
        });
    }
}
