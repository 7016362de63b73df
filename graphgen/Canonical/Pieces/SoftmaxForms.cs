using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>A softmax in pieces becomes one: e / Σ e, e = exp(x − max x).</summary>
internal static class SoftmaxForms
{
    public static readonly Form[] All = [new Replace("softmax in pieces", "Div", Softmax)];

    private static readonly Pattern X = Hole("x");
    private static readonly Pattern Exponentials = Hole("e", Op("Exp", Op("Sub", X, Op("ReduceMax", X).When(IsOverLastAxis)) | X));
    private static readonly Pattern Pieces = Op("Div", Exponentials, Op("ReduceSum", Exponentials).When(IsOverLastAxis));

    private static Outcome Softmax(Node node, Rewriting rewriting)
    {
        if (Pieces.Match(node.Output) is not { } match) return "it is not a quotient of exponentials by their sum over the last axis";
        rewriting.Replace(node, "Softmax", [match["x"]], ("axis", -1));
        return Outcome.Done;
    }

    /// <summary>Whether a reduction takes the last axis and keeps it with length 1.</summary>
    public static bool IsOverLastAxis(Node node) =>
        node.Int("keepdims", 1) == 1
            && node.Input(1) is { IsConstant: true, Constant: { Count: 1 } axes }
            && node.Input(0)?.Shape is { } shape
            && shape.Axis(axes.ToLongs()[0]) == shape.Rank - 1;
}
