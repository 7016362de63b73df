using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Inputs;

/// <summary>The tables that limit how many tokens a graph reads: learned positions, or cosines and sines of a rotation.</summary>
internal static class PositionTable
{
    // The operand of an operator that holds a table with a row for each position.
    private static readonly Dictionary<string, int> Tables = new(StringComparer.Ordinal)
    {
        [OrtOps.EmbedLayerNormalization] = 3,
        [OrtOps.GroupQueryAttention] = 7,
        [OrtOps.RotaryEmbedding] = 2,
        ["RotaryEmbedding"] = 1,
    };

    // The operand that says which rows are read, where a sequence need not begin at the first.
    private static readonly Dictionary<string, int> Indices = new(StringComparer.Ordinal) { [OrtOps.EmbedLayerNormalization] = 8 };

    /// <summary>How many tokens every table of positions has rows for; null where the graph has none.</summary>
    public static long? Tokens(OnnxModel model)
    {
        var inputs = model.Graph.Find(TextInputs.Positions) is { } positions ? TokenEmbedding.Rows(positions) : null;
        return model.Graph.Nodes.Select(TokensOf).Append(inputs).Min();
    }

    private static long? TokensOf(Node node)
    {
        if (node.Op == "Gather") return Looked(node.Input(0), node.Input(1), node.Int("axis", 0));
        if (node.Op == "Slice") return Cut(node);
        if (!Tables.TryGetValue(node.Op, out var operand)) return null;
        var index = Indices.TryGetValue(node.Op, out var place) ? node.Input(place) : null;
        return node.Input(operand)?.StoredTensor() is { Rank: 2 } table ? table.Dims[0] - (FirstPosition.Of(index) ?? 0) : null;
    }

    private static long? Looked(Value? table, Value? index, long axis) =>
        TableOf(table) is { } stored && FirstPosition.Of(index) is { } first ? stored.Dims[(int)axis.FromFront(stored.Rank)] - first : null;

    // Stored numbers or their codes, in their own axes.
    private static OnnxTensor? TableOf(Value? value) =>
        StoredPath.Of(value) is { Tensor: { Rank: >= 2 } tensor } path
            && (tensor.Type.IsFloat() || tensor.Type is ElementType.UInt8 or ElementType.Int8)
            && path.Steps.All(step => step.Effect is ViewEffect.Nothing or ViewEffect.Type or ViewEffect.Codes)
            ? tensor
            : null;

    // Its first rows, as many as a sequence has.
    private static long? Cut(Node node)
    {
        if (TableOf(node.Input(0)) is not { } table) return null;
        if (node.Input(1)?.StoredTensor() is not { Count: 1 } starts || starts.ToLongs()[0] != 0) return null;
        if (node.Input(2) is not { } end || end.StoredTensor() is not null) return null;
        return node.Input(3)?.StoredTensor() is { Count: 1 } axes ? table.Dims[(int)axes.ToLongs()[0].FromFront(table.Rank)] : null;
    }
}
