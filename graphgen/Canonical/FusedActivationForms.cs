using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>ONNX Runtime's activations with a bias in front of them become a sum and the activation.</summary>
internal static class FusedActivationForms
{
    private const string Ms = "com.microsoft::";

    public static readonly Form[] All =
    [
        new("gelu", $"{Ms}Gelu", (node, rewriting) => rewriting.Substitute(node, (gelu, at) => [Gelu(gelu, at, "none")])),
        new("gelu of a sum", $"{Ms}BiasGelu", (node, rewriting) => rewriting.Substitute(node, (gelu, at) => [Gelu(gelu, at, "none")])),
        new("gelu by tanh", $"{Ms}FastGelu", (node, rewriting) => rewriting.Substitute(node, (gelu, at) => [Gelu(gelu, at, "tanh")])),
        new("sigmoid gelu", $"{Ms}QuickGelu", (node, rewriting) => rewriting.Substitute(node, QuickGelu)),
    ];

    private static Expr Gelu(Node node, Rewriting rewriting, string approximate)
    {
        var x = rewriting.Tape[node.Input(0)!];
        return (node.Input(1) is { } bias ? x + rewriting.Tape[bias] : x).Apply("Gelu", ("approximate", approximate));
    }

    // x·sigmoid(α·x)
    private static Expr?[] QuickGelu(Node node, Rewriting rewriting)
    {
        var x = rewriting.Tape[node.Input(0)!];
        return [x * (x * node.Float("alpha", 1.702f)).Apply("Sigmoid")];
    }
}
