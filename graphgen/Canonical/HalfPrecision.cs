using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>The training copy computes in float32: stored float16 and bfloat16 numbers are widened once, exactly, the constants of norms
/// and masks too. A table that is only looked up stays narrow; its rows are widened.</summary>
internal static class HalfPrecision
{
    private const string Widened = "the file computes in 16 bits from here on; training computes in float32 with the same stored numbers";

    /// <summary>Widens a graph that is about to be rewritten.</summary>
    public static void Widen(Rewriting rewriting)
    {
        var graph = rewriting.Graph;
        if (graph.Nodes.FirstOrDefault(node => node is not { Op: "Cast" or "Constant" or "Gather" or "Identity" or "Transpose" }
            && node.Outputs.Any(IsHalf)) is { } arithmetic)
            rewriting.Find(arithmetic, Widened);
        var tables = graph.Initializers
            .Where(value => IsHalf(value)
                && !value.IsInput
                && value.Uses.Count > 0
                && value.Uses.All(use => use is { Index: 0, Node: { Op: "Gather" } }))
            .ToList();
        var rows = tables.SelectMany(table => table.Uses).Select(use => use.Node).ToHashSet();
        foreach (var value in graph.Values
            .Where(value => IsHalf(value) && !tables.Contains(value) && (value.Producer is null || !rows.Contains(value.Producer)))
            .ToList())
        {
            if (value.Constant is { } stored) value.Constant = Float(stored);
            (value.Type, value.Declaration) = (ElementType.Float, default);
        }
        foreach (var node in graph.Nodes) Widen(node);
        foreach (var node in rows) WidenRows(graph, node);
    }

    private static bool IsHalf(Value? value) => value?.Type is ElementType.Float16 or ElementType.BFloat16;

    private static OnnxTensor Float(OnnxTensor stored) =>
        stored.Type is ElementType.Float16 or ElementType.BFloat16
            ? OnnxTensor.Computed(ElementType.Float, [.. stored.Dims], () => WeightView.Round(stored.ToFloats(), ElementType.Float))
            : stored;

    private static void Widen(Node node)
    {
        if (node.Attributes.TryGetValue("value", out var value) && value.Value is OnnxTensor tensor)
            node.Attributes["value"] = Float(tensor);
        if (node.Op == "Cast" && (ElementType)node.Int("to", 0) is ElementType.Float16 or ElementType.BFloat16)
            node.Attributes["to"] = (long)ElementType.Float;
    }

    private static void WidenRows(Graph graph, Node lookup)
    {
        var rows = lookup.Output;
        var readers = rows.Uses.ToHashSet();
        var wide = graph.AddValue($"{rows.Name}_float", ElementType.Float, rows.Shape);
        var cast = new Node("Cast", string.Empty, [rows], [wide]) { Name = wide.Name, Source = lookup.Source };
        cast.Attributes["to"] = (long)ElementType.Float;
        graph.Add(cast, after: lookup);
        graph.ReplaceUses(rows, wide, readers.Contains);
    }
}
