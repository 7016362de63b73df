using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Inputs;

/// <summary>The table that token ids are looked up in.</summary>
internal static class TokenEmbedding
{
    /// <summary>Number of token ids that the model knows; null where no lookup of <c>input_ids</c> is found.</summary>
    public static int? Vocabulary(OnnxModel model) =>
        model.Graph.Find(TextInputs.Ids) is { } ids ? Rows(ids) : null;

    /// <summary>Number of rows of the table that a value is looked up in; null where there is no such lookup.</summary>
    public static int? Rows(Value ids) => Lookup(ids) is { } table && TableRows(table) is { } rows ? (int)rows : null;

    private static Value? Lookup(Value ids)
    {
        foreach (var (node, index) in ids.Uses)
        {
            if (node.Op is "Gather" or OrtOps.GatherBlockQuantized && index == 1) return node.Input(0);
            if (node.Op == OrtOps.EmbedLayerNormalization && index == 0) return node.Input(2);
            if (index == 0 && ViewOps.KeepsNumbers(node) && Lookup(node.Output) is { } table) return table;
        }
        return null;
    }

    private static long? TableRows(Value table) => table switch
    {
        { Constant: { Rank: >= 2 } tensor } => tensor.Dims[0],
        { Shape: { Rank: 2 } shape } => shape[0].Value,
        { Producer: { } producer } when producer.Input(0) is { } source => TableRows(source),
        _ => null,
    };
}
