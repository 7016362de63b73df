using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Attention.Inputs;

/// <summary>The position of the first token in what counts tokens: 0 in most models; in RoBERTa, whose first rows are no token's, one more
/// than the id of the padding token.</summary>
internal static class FirstPosition
{
    /// <summary>The position; null where a value does not count tokens one by one (ids, segments, distances between tokens).</summary>
    public static long? Of(Value? value)
    {
        if (value is null) return null;
        if (value.StoredTensor() is { } stored) return OfStored(stored);
        if (value.IsInput) return value.Name == TextInputs.Positions ? 0 : null;
        return value.Producer is { } node ? Of(node) : null;
    }

    private static long? Of(Node node) => node.Op switch
    {
        "Range" => node.Input(2)?.StoredTensor() is { } step && Number(step) == 1 ? Number(node.Input(0)?.StoredTensor()) ?? 0 : null,
        "CumSum" => node.Int("reverse", 0) == 0 ? 1 - node.Int("exclusive", 0) : null,
        "Cast" or "Identity" or "Unsqueeze" or "Squeeze" or "Reshape" or "Expand" or "Tile" or "Slice" => Of(node.Input(0)),
        "Add" => Moved(node, 1) ?? Moved(node, 0) ?? Of(node.Input(0)) ?? Of(node.Input(1)),
        "Sub" => Number(node.Input(1)?.StoredTensor()) is { } less ? Of(node.Input(0)) - less : null,
        "Mul" when node.Inputs.All(input => input!.StoredTensor() is null) => Of(node.Input(0)) ?? Of(node.Input(1)),   // 0 where masked
        "Where" => Of(node.Input(2)) ?? Of(node.Input(1)),
        _ => null,
    };

    // Counted from a stored number on.
    private static long? Moved(Node node, int side) =>
        Number(node.Input(side)?.StoredTensor()) is { } by ? Of(node.Input(1 - side)) + by : null;

    private static long? Number(OnnxTensor? stored) => stored is { Count: 1 } && IsWhole(stored) ? stored.ToLongs()[0] : null;

    private static long? OfStored(OnnxTensor stored)
    {
        if (stored.Count < 2 || !IsWhole(stored) || stored.Dims[^1] != stored.Count) return null;
        var numbers = stored.ToLongs();
        return numbers.Index().All(item => item.Item == numbers[0] + item.Index) ? numbers[0] : null;
    }

    private static bool IsWhole(OnnxTensor stored) => stored.Type is ElementType.Int64 or ElementType.Int32;
}
