using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>Norms in pieces become <c>LayerNormalization</c> and <c>SimplifiedLayerNormalization</c> (ONNX Runtime's, in ONNX's own
/// domain), with the file's epsilon.</summary>
internal static class NormForms
{
    public static readonly Form[] All =
    [
        new Replace("layer norm in pieces", "Add", LayerNorm),
        new Replace("RMS norm in pieces", "Mul", RmsNorm),
    ];

    private static readonly Pattern X = Hole("x");
    private static readonly Pattern Epsilon = Hole("epsilon", Where("a positive number", value => NumberOf(value) is > 0));
    private static readonly Pattern Centred = Op("Sub", X, Mean(X));

    // (d / √(mean d² + ε))·γ + β, d = x − mean x
    private static readonly Pattern LayerNormPieces = Op("Add", Op("Mul", OverRoot(Centred), Hole("scale")), Hole("bias"));

    // (x / √(mean x² + ε))·γ
    private static readonly Pattern RmsNormPieces = Op("Mul", OverRoot(X), Hole("scale"));

    private static Outcome LayerNorm(Node node, Rewriting rewriting)
    {
        if (LayerNormPieces.Match(node.Output) is not { } match || !IsPerFeature(match["scale"], match["x"])
            || !IsPerFeature(match["bias"], match["x"]))
            return "it is not a centred x over its deviation, times a scale and plus a bias for each feature";
        rewriting.Replace(node, "LayerNormalization", [match["x"], match["scale"], match["bias"]], [.. Attributes(match)]);
        return Outcome.Done;
    }

    private static Outcome RmsNorm(Node node, Rewriting rewriting)
    {
        if (RmsNormPieces.Match(node.Output) is not { } match || !IsPerFeature(match["scale"], match["x"]))
            return "it is not x over the root of its mean square, times a scale for each feature";
        if (Centred.Match(match["x"]) is not null) return "x is centred: this is the head of a layer norm";   // the head of a layer norm
        rewriting.Replace(node, "SimplifiedLayerNormalization", [match["x"], match["scale"]], [.. Attributes(match)]);
        return Outcome.Done;
    }

    private static (string Name, OnnxAttribute Value)[] Attributes(Bindings match) =>
        [("axis", -1), ("epsilon", (float)NumberOf(match["epsilon"])!.Value), ("stash_type", 1)];

    private static bool IsPerFeature(Value value, Value x) =>
        value.Shape is { Rank: 1 } shape
            && x.Shape is { Rank: > 0 } features
            && shape[0] == features[-1]
            && x.Type == ElementType.Float
            && value.Type == ElementType.Float;

    private static Pattern Mean(Pattern x) => Op("ReduceMean", x).When(SoftmaxForms.IsOverLastAxis);

    /// <summary>d / √(mean d² + ε): a norm without a scale. Walks from attention to its projections step over it too.</summary>
    public static Pattern OverRoot(Pattern d)
    {
        var root = Op("Sqrt", Op("Add", Mean(Op("Pow", d, Number(2)) | Op("Mul", d, d)), Epsilon));
        return Op("Div", d, root) | Op("Mul", d, Op("Reciprocal", root) | Op("Div", Number(1), root));
    }
}
