using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Why the weight of a product is no stored matrix that an adapter can be folded into.</summary>
internal static class WeightObstacle
{
    private const int MostValues = 48;   // of a rotary embedding and what moves heads

    private static readonly string[] Products =
        ["MatMul", "Gemm", OrtOps.FusedMatMul, "Conv", OrtOps.MatMulNBits, "MatMulInteger", "QLinearMatMul"];

    /// <summary>The reason; null where the node is no product, or its operands are made from inputs.</summary>
    public static string? Of(Node? node)
    {
        var deployed = node?.Source ?? node;
        if (deployed is null || !Products.Contains(deployed.Op)) return null;
        if (deployed.Op == OrtOps.MatMulNBits)
            return deployed.Input(4) is { } order ? $"its weight's columns are stored in another order (g_idx '{order.Name}')" : null;
        return StoredPath.WhyNot(deployed.Input(1)) ?? StoredPath.WhyNot(deployed.Input(0));
    }

    /// <summary>The same for the product that a value comes from, where a walk stopped in between.</summary>
    public static string? Behind(Value value)
    {
        var (open, seen) = (new Queue<Value>([value]), new HashSet<Value>());
        while (open.TryDequeue(out var at) && seen.Count < MostValues)
        {
            if (!seen.Add(at) || at.Producer is not { } node) continue;
            if (Of(node) is { } reason) return reason;
            if (node.Op is "MatMul" or "Gemm" or OrtOps.FusedMatMul or OrtOps.MatMulNBits or "Softmax") continue;
            foreach (var input in node.Inputs.OfType<Value>()) open.Enqueue(input);
        }
        return null;
    }

    /// <summary>The same for the only one of several readers that has such a reason.</summary>
    public static string? Of(IReadOnlyList<Node> readers) => readers.Select(Of).OfType<string>().FirstOrDefault();
}
