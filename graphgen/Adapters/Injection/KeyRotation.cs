using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>The rotary embedding of a layer's keys, for other keys: its operators, written again with the angles of another
/// position.</summary>
/// <param name="result">The rotated keys of the layer.</param>
/// <param name="source">The keys before.</param>
/// <param name="port">The attention.</param>
internal sealed class KeyRotation(Value result, Value source, AttentionPort port)
{
    private readonly Dictionary<Value, Expr> _written = [];

    /// <summary>Keys turned back by some positions, [N, n, D].</summary>
    /// <param name="tape">Tape of the graph.</param>
    /// <param name="keys">[N, n, D].</param>
    /// <param name="positions">The positions.</param>
    /// <exception cref="LortaException">LRT327: the rotation is not one of keys [batch, heads, sequence, head width], or its angles do not
    /// follow from positions.</exception>
    public Expr Back(Tape tape, Expr keys, int positions)
    {
        var shape = source.Shape!;
        var isHeadsFirst = shape.Rank == 4 && shape[1].Is(port.KvHeads);
        if (shape.Rank != 4 || isHeadsFirst == shape[2].Is(port.KvHeads) || !(result.Shape?.Equals(shape) ?? false))
            throw Refusal(source.Producer ?? result.Producer!, $"the keys that it turns have the shape {shape}");
        var sequence = shape[isHeadsFirst ? 2 : 1];
        if (sequence.IsKnown) throw Refusal(result.Producer!, "the file fixes the length of the sequence");
        var count = keys.Shape[1].Value!.Value;
        var angles = new RotaryAngles(tape, port, positions);
        var (heads, width) = (keys.Shape[0].Value!.Value, keys.Shape[2].Value!.Value);
        _written[source] = (isHeadsFirst ? keys.Reshape(1, heads, count, width) : keys.MoveAxes(1, 0, 2).Reshape(1, count, heads, width))
            .Cast(source.Type);
        foreach (var (value, _) in RotaryRegion.Of(result)!.Values(source).Skip(1))
            if (!_written.ContainsKey(value)) Write(tape, value.Producer!, angles, sequence, count);
        var turned = _written[result].Cast(ElementType.Float);
        return isHeadsFirst ? turned.Reshape(heads, count, width) : turned.Reshape(count, heads, width).MoveAxes(1, 0, 2);
    }

    private void Write(Tape tape, Node node, RotaryAngles angles, Dim sequence, long count)
    {
        Expr?[] inputs = [.. node.Inputs.Select(input => input is null ? (Expr?)null
            : _written.TryGetValue(input, out var made) ? made
            : input.Type.IsFloat() ? angles.At(input)
            : tape[input])];
        if (node.Op == "Reshape") inputs[1] = tape.Longs([.. node.Output.Shape!.Select(dim => Size(dim, sequence, count))]);
        var written = tape.Write(node.Op, inputs, node.Outputs.Count,
            [.. node.Attributes.Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value))]);
        foreach (var (output, again) in node.Outputs.Zip(written.Outputs))
            if (output is not null) _written[output] = tape[again!];
    }

    // A size of the layer's keys where the batch is 1 and the sequence has so many positions.
    private static long Size(Dim size, Dim sequence, long count)
    {
        var first = sequence.Symbols.First();
        return size.Evaluate(symbol => symbol == first ? count : sequence.Symbols.Contains(symbol) ? 0 : 1);
    }

    private LortaException Refusal(Node node, string why) => AdapterErrors.NoAttentionPlace(port.Layer, node, why);
}
