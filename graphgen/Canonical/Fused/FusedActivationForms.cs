using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical.Fused;

/// <summary>Activations: ONNX Runtime's with a bias in front of them become a sum and the activation, silu in pieces becomes
/// whole.</summary>
internal static class FusedActivationForms
{
    public static readonly Form[] All =
    [
        new Replace("gelu", OrtOps.Gelu, (node, rewriting) => rewriting.Substitute(node, (gelu, at) => [Gelu(gelu, at, "none")])),
        new Replace(
            "gelu of a sum", OrtOps.BiasGelu, (node, rewriting) => rewriting.Substitute(node, (gelu, at) => [Gelu(gelu, at, "none")])),
        new Replace(
            "gelu by tanh", OrtOps.FastGelu, (node, rewriting) => rewriting.Substitute(node, (gelu, at) => [Gelu(gelu, at, "tanh")])),
        new Replace(
            "activation of a product",
            OrtOps.FusedGemm,
            (node, rewriting) => rewriting.Substitute(node, (gemm, at) => [Activated(gemm, at)])),
        new Replace("silu in pieces", "Mul", Silu),
    ];

    private static readonly Pattern SiluPieces = Op("Mul", Hole("x"), Op("Sigmoid", Hole("x")));

    private static Expr Gelu(Node node, Rewriting rewriting, string approximate)
    {
        var x = rewriting.Tape[node.Operand(0)];
        return (node.Input(1) is { } bias ? x + rewriting.Tape[bias] : x).Apply("Gelu", ("approximate", approximate));
    }

    // The product, then the activation with its own numbers.
    private static Expr Activated(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        Expr?[] inputs = [tape[node.Operand(0)], tape[node.Operand(1)], node.Input(2) is { } bias ? tape[bias] : null];
        (string, OnnxAttribute?)[] kept = [.. new[] { "alpha", "beta", "transA", "transB" }
            .Select(name => (name, node.Attributes.GetValueOrDefault(name)))];
        var product = tape.Op("Gemm", inputs, kept);
        (string, OnnxAttribute?)[] own = [.. new[] { "alpha", "beta", "gamma" }
            .Select(name => (name, node.Attributes.GetValueOrDefault($"activation_{name}")))];
        return node.String("activation", string.Empty) is { Length: > 0 } activation ? product.Apply(activation, own) : product;
    }

    // x·sigmoid(x) in one pass, and one tensor less to keep for the gradient
    private static Outcome Silu(Node node, Rewriting rewriting)
    {
        if (SiluPieces.Match(node.Output) is not { } match || match["x"].Type != ElementType.Float)
            return "it is not x·sigmoid(x) of float32";
        return rewriting.Substitute(node, (_, at) => [at.Tape[match["x"]].Apply(OrtOps.QuickGelu, ("alpha", 1f))]);
    }
}
