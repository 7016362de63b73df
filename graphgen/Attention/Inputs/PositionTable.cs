using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Attention.Inputs;

/// <summary>The tables that limit how many positions a graph knows: learned positions, or cosines and sines of a rotation.</summary>
internal static class PositionTable
{
    // The operand that holds a table with a row for each position.
    private static readonly Dictionary<string, int> Tables = new(StringComparer.Ordinal)
    {
        [OrtOps.EmbedLayerNormalization] = 3,
        [OrtOps.GroupQueryAttention] = 7,
        [OrtOps.RotaryEmbedding] = 2,
    };

    /// <summary>The fewest rows of the tables that positions are looked up in; null where the graph has none.</summary>
    public static long? Rows(OnnxModel model)
    {
        var inputs = model.Graph.Find(TextInputs.Positions) is { } positions ? TokenEmbedding.Rows(positions) : null;
        var fused = model.Graph.Nodes.Select(TableOf).Where(table => table?.Constant is { Rank: 2 })
            .Select(table => (long?)table!.Constant!.Dims[0]);
        return fused.Append(inputs).Min();
    }

    private static Value? TableOf(Node node) =>
        Tables.TryGetValue(node.Op, out var operand) && operand < node.Inputs.Count ? node.Inputs[operand] : null;
}
