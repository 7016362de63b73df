using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>Activations that a file keeps as integers for a stretch of the graph: the numbers that were rounded, moved as the integers
/// were.</summary>
internal static class RoundedActivations
{
    /// <summary>What training is told about every such place.</summary>
    public const string NotRounded = "the file rounds activations to 8 bits here; training and exact comparisons do not";

    private const string CutsOff = "the rounding here is also the Relu of the file: it cuts off below zero, and so does training";

    /// <summary>The numbers behind integers that are widened with a scale and zero point; null where they were not made by rounding with
    /// these.</summary>
    /// <param name="at">The graph.</param>
    /// <param name="reader">The node that widens, for findings.</param>
    /// <param name="codes">The integers.</param>
    /// <param name="scale">Scale.</param>
    /// <param name="zero">Zero point.</param>
    public static Expr? Unrounded(Rewriting at, Node reader, Value codes, Value? scale, Value? zero)
    {
        if (codes.Producer is not { } node) return null;
        if (node.Op is "QuantizeLinear" or OrtOps.QuantizeLinear) return Rounded(at, reader, node, scale, zero);
        var data = DataInputs(node);
        if (data == 0) return null;
        var inputs = new Expr?[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (node.Input(i) is not { } input) continue;
            inputs[i] = i < data ? Unrounded(at, reader, input, scale, zero) : at.Tape[input];
            if (inputs[i] is null) return null;
        }
        using var scope = at.Tape.Scope($"{codes.Name}/unrounded");
        var moved = at.Tape.Write(node.Op, inputs, node.Outputs.Count,
            [.. node.Attributes.Select(attribute => (attribute.Key, (Attr?)attribute.Value))]);
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

    private static Expr? Rounded(Rewriting at, Node reader, Node rounding, Value? scale, Value? zero)
    {
        if (rounding.Input(0) is not { IsConstant: false } x || !Same(rounding.Input(1), scale) || !Same(rounding.Input(2), zero))
            return null;
        at.Find(reader, NotRounded);
        if (!CutsOffNegatives(rounding) || x.Producer?.Op is "Relu" or "Softmax" or "Sigmoid") return at.Tape[x];
        at.Find(reader, CutsOff);
        return at.Tape[x].Apply("Relu");
    }

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
