using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Adapters.Injection;

/// <summary>The cosines and sines of a rotary embedding at a position before the first, −n, instead of those of a sequence: computed from
/// positions as the file does it, or looked up in its tables at n, where sines change their sign.</summary>
/// <param name="tape">Tape of the graph.</param>
/// <param name="port">The attention that they are of.</param>
/// <param name="before">n.</param>
internal sealed class RotaryAngles(Tape tape, AttentionPort port, int before)
{
    private const float Zero = 1e-6f;

    private readonly Dictionary<Value, Expr> _written = [];

    /// <summary>What a value is at that position; a constant that depends on none is itself.</summary>
    /// <exception cref="LortaException">LRT327: it does not follow from positions, or its table is too short.</exception>
    public Expr At(Value value)
    {
        if (!_written.TryGetValue(value, out var written)) _written[value] = written = Write(value);
        return written;
    }

    private Expr Write(Value value)
    {
        if (value.StoredTensor() is not null) return tape[value];
        if (value.Type is ElementType.Int64 or ElementType.Int32) return Position(value);
        if (value.Producer is not { } node) throw Refusal(value, "its angles are an input of the graph");
        return node.Op switch
        {
            "Range" => Position(value),
            "Gather" when IsPosition(node.Operand(1)) => Looked(node, node.Axis(node.Operand(0).Rank), node.Operand(1).Rank),
            "Slice" when PlaceOfSlice(node) is { } axis => Looked(node, axis, indexRank: 1),
            "Expand" => Repeated(node),
            "Reshape" => At(node.Operand(0)).Reshape([.. node.Output.Shape!.Select(dim => dim.Evaluate(_ => 1))]),
            "Mul" or "Div" when Amplified(node) is { } plain => At(plain),
            "Cos" or "Sin" or "Neg" or "Mul" or "Div" or "Add" or "Sub" or "Cast" or "Identity" or "Unsqueeze" or "Squeeze" or "Transpose"
                or "Concat" or "MatMul" or OrtOps.FusedMatMul or "Gather" or "Slice" or "Split" or "Einsum" => Again(node, value),
            _ => throw Refusal(value, $"its angles come from {node}"),
        };
    }

    private Expr Again(Node node, Value value)
    {
        var written = tape.Write(
            node.Op,
            [.. node.Inputs.Select(input => input is null ? (Expr?)null : input.StoredTensor() is null ? At(input) : tape[input])],
            node.Outputs.Count,
            [.. node.Attributes.Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value))]);
        return tape[written.Outputs[node.Outputs.ToList().IndexOf(value)]!];
    }

    // Features are repeated as in the file; rows are not, one position is all there is.
    private Expr Repeated(Node node)
    {
        var source = At(node.Operand(0));
        var (before, after) = (node.Operand(0).Shape!, node.Output.Shape!);
        var added = after.Rank - before.Rank;
        long[] sizes = [.. after.Select((size, axis) =>
            axis > 0 && axis >= added && before[axis - added].Is(1) && size.Value is { } repeats ? repeats : 1)];
        return sizes.All(size => size == 1) ? source : tape.Op("Expand", [source, tape.Longs(sizes)]);
    }

    // Positions of any spelling: [1, .., 1] holds the one.
    private Expr Position(Value value) =>
        tape.Scalar(-before, value.Type).Reshape([.. Enumerable.Repeat(1L, value.Rank)]);

    private static bool IsPosition(Value index) =>
        index.StoredTensor() is null && index.Type is ElementType.Int64 or ElementType.Int32;

    // The axis along which a table is cut to the length of the sequence.
    private static int? PlaceOfSlice(Node node)
    {
        if (node.Operand(2).StoredTensor() is not null || node.Operand(0).Shape is not { } shape) return null;
        var facts = new NodeFacts(node);
        return facts.Longs(3) is [var axis] ? (int)axis.FromFront(shape.Rank) : null;
    }

    // Row n of a table, with the sines negated: they are those whose row 0 is zero.
    private Expr Looked(Node node, int axis, int indexRank)
    {
        var stored = node.Operand(0);
        if (stored.StoredTensor() is not { } table) return At(stored);
        if (table.Dims[axis] <= before)
            throw Refusal(node.Output, $"its table has {table.Dims[axis]} positions, and the further keys need {before + 1}");
        var (first, row) = (RowOf(table, axis, 0), RowOf(table, axis, before));
        if (first.FirstOrDefault(start => Math.Abs(start) >= Zero && Math.Abs(start - 1) >= Zero) is var scaled and not 0)
            throw Refusal(node.Output, FormattableString.Invariant($"its table begins with cosines of {scaled:g3} instead of 1"));
        var values = row.Zip(first, (at, start) => Math.Abs(start) < Zero ? -at : at).ToArray();
        long[] dims = [.. table.Dims.Take(axis), .. Enumerable.Repeat(1L, indexRank), .. table.Dims.Skip(axis + 1)];
        return tape.Constant(OnnxTensor.Of<float>(dims, values)).Cast(node.Output.Type);
    }

    private static float[] RowOf(OnnxTensor table, int axis, int index)
    {
        var inner = (int)table.Dims.Skip(axis + 1).Size();
        var outer = (int)table.Dims.Take(axis).Size();
        var size = (int)table.Dims[axis];
        var numbers = table.ToFloats();
        return [.. Enumerable.Range(0, outer).SelectMany(i => numbers.AsSpan(((i * size) + index) * inner, inner).ToArray())];
    }

    // A factor of cosines and sines that are computed (some long contexts have one) belongs to the sequence's own keys and queries.
    private static Value? Amplified(Node node)
    {
        var (a, b) = (node.Operand(0), node.Operand(1));
        if (IsNumber(b) && IsTrigonometric(a)) return a;
        return node.Op == "Mul" && IsNumber(a) && IsTrigonometric(b) ? b : null;
    }

    private static bool IsNumber(Value value) => value.StoredTensor() is { Count: 1 };

    private static bool IsTrigonometric(Value value) => value.Producer switch
    {
        { Op: "Cos" or "Sin" } => true,
        { Op: "Concat" or "Unsqueeze" or "Squeeze" or "Cast" or "Reshape" or "Transpose" or "Neg" or "Expand" } node =>
            IsTrigonometric(node.Operand(0)),
        _ => false,
    };

    private LortaException Refusal(Value value, string why) =>
        AdapterErrors.NoAttentionPlace(port.Layer, value.Producer?.Label ?? value.Name, $"keys carry a rotary embedding, and {why}");
}
