using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Artifacts;

/// <summary>Estimates the memory that a graph takes: its stored tensors, and the most that its other tensors take up at once when the nodes
/// run in their order and a tensor is freed after its last use.</summary>
/// <remarks>A runtime also keeps repacked copies of weights and reuses the place of an operand for a result, so this is near what it takes,
/// not equal to it.</remarks>
internal static class PeakMemory
{
    /// <summary>The estimate in bytes.</summary>
    /// <param name="graph">A graph whose shapes are inferred; sizes that are neither the batch's nor fixed count as 1.</param>
    /// <param name="rows">Rows of the largest batch.</param>
    /// <param name="length">Tokens of its longest row.</param>
    public static long Of(Graph graph, long rows, long length)
    {
        var sizes = SizesOf(graph, rows, length);
        var lives = new Dictionary<Value, (int Last, long Bytes)>();
        var nodes = graph.Nodes.ToList();
        for (var at = 0; at < nodes.Count; at++)
        {
            foreach (var input in nodes[at].Inputs.OfType<Value>().Select(Owner)) Extend(input, at);
            foreach (var output in nodes[at].Outputs.OfType<Value>().Where(output => Owner(output) == output)) Extend(output, at);
        }
        foreach (var output in graph.Outputs) Extend(Owner(output), nodes.Count);

        var freed = lives.GroupBy(life => life.Value.Last).ToDictionary(group => group.Key, group => group.Sum(life => life.Value.Bytes));
        var (now, most) = (0L, 0L);
        for (var at = 0; at < nodes.Count; at++)
        {
            now += nodes[at].Outputs.OfType<Value>().Sum(output => lives.GetValueOrDefault(output).Bytes);
            most = Math.Max(most, now);
            now -= freed.GetValueOrDefault(at);
        }
        return most + graph.Initializers.Sum(value => value.Constant!.ByteCount);

        void Extend(Value value, int at)
        {
            if (value.Producer is null) return;
            lives[value] = (at, lives.TryGetValue(value, out var life) ? life.Bytes : BytesOf(value, sizes));
        }
    }

    // What only looks at a tensor in another shape has no memory of its own.
    private static Value Owner(Value value) =>
        ViewOps.EffectOf(value.Producer) is ViewEffect.Nothing or ViewEffect.Shape ? Owner(value.Producer!.Input(0)!) : value;

    private static long BytesOf(Value value, Dictionary<string, long> sizes) =>
        value.Shape is not { } shape ? 0
        : value.Type.Bytes(Math.Max(0, shape.Size.Evaluate(symbol => sizes.GetValueOrDefault(symbol, 1))));

    // Nothing has been generated yet: a key/value cache is empty.
    private static Dictionary<string, long> SizesOf(Graph graph, long rows, long length)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var input in graph.Inputs.Where(input => input.Shape is { Rank: 2 } && input.Type == ElementType.Int64))
        {
            Set(input.Shape![0], rows);
            Set(input.Shape[1], length);
        }
        foreach (var input in graph.Inputs.Where(input => TextInputs.IsCache(input.Type, input.Shape?.Rank))) Set(input.Shape![2], 0);
        return sizes;

        void Set(Dim dim, long size)
        {
            foreach (var symbol in dim.Symbols.Take(1)) sizes.TryAdd(symbol, size);
        }
    }
}
