using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>Activations that a file keeps as integers for a stretch of the graph: the numbers that were rounded, moved as the integers
/// were.</summary>
internal static class RoundedActivations
{
    /// <summary>What training is told about every such place.</summary>
    public const string NotRounded = "the file rounds activations to 8 bits here; training and exact comparisons do not";

    private const string CutsOff = "the rounding here is also the Relu of the file: it cuts off below zero, and so does training";

    /// <summary>The values whose rounding with a scale and zero point made integers; none where any of these were made otherwise.</summary>
    public static IReadOnlyList<Value> Sources(Value codes, Value? scale, Value? zero)
    {
        if (codes.Producer is not { } node) return [];
        if (IsRounding(node))
        {
            return node.Input(0) is { IsConstant: false } x && Same(node.Input(1), scale) && Same(node.Input(2), zero) ? [x] : [];
        }
        var moved = node.Inputs.Take(DataInputs(node)).OfType<Value>().Select(input => Sources(input, scale, zero)).ToList();
        return moved.All(sources => sources.Count > 0) ? [.. moved.SelectMany(sources => sources)] : [];
    }

    /// <summary>The numbers behind integers that are widened with a scale and zero point; null where they were not made by rounding with
    /// these.</summary>
    /// <param name="at">The graph.</param>
    /// <param name="reader">The node that widens, for findings.</param>
    /// <param name="codes">The integers.</param>
    /// <param name="scale">Scale.</param>
    /// <param name="zero">Zero point.</param>
    public static Expr? Unrounded(Rewriting at, Node reader, Value codes, Value? scale, Value? zero)
    {
        if (Sources(codes, scale, zero).Count == 0) return null;
        var node = codes.Producer!;
        if (IsRounding(node)) return Rounded(at, reader, node);
        var data = DataInputs(node);
        var inputs = new Expr?[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
            if (node.Input(i) is { } input) inputs[i] = i < data ? Unrounded(at, reader, input, scale, zero) : at.Tape[input];
        using var scope = at.Tape.Scope($"{codes.Name}/unrounded");
        var moved = at.Tape.Write(node.Op, inputs, node.Outputs.Count,
            [.. node.Attributes.Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value))]);
        moved.Source ??= node.Source;
        return at.Tape[moved.Outputs[node.Outputs.Index().First(output => output.Item == codes).Index]!];
    }

    /// <summary>Integers widened: the numbers behind them, stored ones, or a DequantizeLinear where they came from elsewhere.</summary>
    public static Expr Widened(Rewriting at, Node reader, Value codes, Value scale, Value? zero)
    {
        if (Unrounded(at, reader, codes, scale, zero) is { } x) return x;
        if (codes is { IsConstant: true, Constant: { Rank: <= 1 } stored } && scale.IsConstant && zero is null or { IsConstant: true })
            return at.Tape[at.Like(codes, QuantizedForms.Widened(stored, scale.Constant!, zero?.Constant))];
        return at.Tape.Op("DequantizeLinear", [at.Tape[codes], at.Tape[scale], zero is null ? null : at.Tape[zero]]);
    }

    private static Expr Rounded(Rewriting at, Node reader, Node rounding)
    {
        var x = at.Tape[rounding.Operand(0)];
        at.Find(reader, NotRounded);
        if (!IsRelu(rounding)) return x;
        at.Find(reader, CutsOff);
        return x.Apply("Relu");
    }

    /// <summary>Whether the value in front of a rounding stands for the integers as it is, without an operator in between.</summary>
    public static bool IsPlain(Node rounding) => IsRounding(rounding) && !IsRelu(rounding);

    private static bool IsRounding(Node node) => node.Op is "QuantizeLinear" or OrtOps.QuantizeLinear;

    private static bool IsRelu(Node rounding) =>
        CutsOffNegatives(rounding) && rounding.Operand(0).Producer?.Op is not ("Relu" or "Softmax" or "Sigmoid");

    /// <summary>Whether a rounding is a Relu as well: quantisers leave one out where zero is the lowest code.</summary>
    public static bool CutsOffNegatives(Node rounding) => rounding.Output.Type switch
    {
        ElementType.UInt8 or ElementType.UInt16 => rounding.Input(2) is null || ZeroPoint(rounding) == 0,
        ElementType.Int8 => ZeroPoint(rounding) == sbyte.MinValue,
        ElementType.Int16 => ZeroPoint(rounding) == short.MinValue,
        _ => false,
    };

    // How many of its first inputs an operator moves, without computing anything.
    private static int DataInputs(Node node) => node.Op switch
    {
        "Concat" => node.Inputs.Count,
        "Identity" or "Slice" or "Split" or "Gather" or "Expand" or "Tile" => 1,
        _ => ViewOps.Moves(node) ? 1 : 0,
    };

    private static long? ZeroPoint(Node rounding) =>
        rounding.Input(2) is { IsConstant: true, Constant: { Count: 1 } zero } ? zero.ToLongs()[0] : null;

    private static bool Same(Value? a, Value? b) =>
        a == b || (a is { IsConstant: true } && b is { IsConstant: true } && a.Constant!.Bytes.SequenceEqual(b.Constant!.Bytes));
}
