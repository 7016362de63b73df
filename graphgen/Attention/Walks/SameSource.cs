using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>What the projections of one attention are made from.</summary>
internal static class SameSource
{
    private const int MaxSteps = 16;

    /// <summary>Whether two inputs are one value, whatever its shape.</summary>
    public static bool AreSame(Value a, Value b) => Unmoved(a) == Unmoved(b);

    /// <summary>Whether two inputs are made from one value by norms, parts and further products (latent attention), as opposed to two
    /// streams of data.</summary>
    public static bool AreRelated(Value a, Value b) => Trail(a).Intersect(Trail(b)).Any();

    private static Value Unmoved(Value value)
    {
        while (value.Producer is { } node && ViewOps.KeepsNumbers(node)) value = node.Input(0)!;
        return value;
    }

    private static IEnumerable<Value> Trail(Value from)
    {
        var at = (Value?)from;
        for (var step = 0; step < MaxSteps && at is not null; step++)
        {
            at = Unmoved(at);
            yield return at;
            at = LinearLayer.EndingAt(at)?.Input
                ?? (at.Producer is { Op: "LayerNormalization" or "SimplifiedLayerNormalization" or "Split" or "Slice" } node
                    ? node.Input(0)
                    : null);
        }
    }
}
