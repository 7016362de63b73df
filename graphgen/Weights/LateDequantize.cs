using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Frozen low-bit weights are widened when they are needed and at no other time.</summary>
/// <remarks>ONNX Runtime would else run every DequantizeLinear of constants at the start and keep the results: a float32 copy of the whole
/// model.</remarks>
internal static class LateDequantize
{
    /// <summary>Whether a value is a stored low-bit tensor, widened.</summary>
    public static bool IsDequantized(Value value) =>
        value.Producer is { Op: "DequantizeLinear" } node && node.Inputs.All(input => input is null or { IsConstant: true });

    /// <summary>A dequantised weight made anew once <paramref name="ready"/> is there; any other value as it is.</summary>
    public static Expr After(Expr weight, Expr ready)
    {
        if (!IsDequantized(weight.Value)) return weight;
        var (node, tape) = (weight.Value.Producer!, weight.Tape);
        var zero = node.Input(2) is { } given ? tape[given] : (Expr?)null;
        return tape.Op(
            "DequantizeLinear",
            [tape[node.Input(0)!], Scale(tape[node.Input(1)!], ready), zero],
            [.. node.Attributes.Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value))]);
    }

    /// <summary>A scale times 1, as a number that needs <paramref name="ready"/>.</summary>
    public static Expr Scale(Expr scale, Expr ready)
    {
        var tape = scale.Tape;
        var first = tape.Op("Slice", [ready.Reshape(-1), tape.Longs(0), tape.Longs(1)]);
        var (one, same) = (tape.Scalar(1, scale.Type), tape.Scalar(1, scale.Type));
        return scale * one.Where(first.Apply("IsNaN"), same);
    }

    /// <summary>Lets every product of a graph wait for its other operand before its weight is widened.</summary>
    public static void InProducts(Tape tape)
    {
        foreach (var node in tape.Graph.Nodes
            .Where(node => node.Op is "MatMul" or OrtOps.FusedMatMul or "Gemm" && node.Input(1) is { } weight && IsDequantized(weight))
            .ToList())
            node.SetInput(1, After(tape[node.Input(1)!], tape[node.Input(0)!]).Value);
    }
}
