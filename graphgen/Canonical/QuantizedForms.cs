using LoRTA.Onnx.GraphGen.Ir;
using static LoRTA.Onnx.GraphGen.Canonical.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Weights of few bits become one thing, a product with a DequantizeLinear of constants (<c>MatMulNBits</c> stays); activations are not rounded in training.</summary>
internal static class QuantizedForms
{
    private const string Ms = "com.microsoft::";
    private const string NotRounded = "the file rounds activations to 8 bits here; training and exact comparisons do not";

    public static readonly Form[] All =
    [
        new("quantised activation", "DequantizeLinear", Activation),
        new("quantised activation", $"{Ms}DequantizeLinear", Activation),
        new("quantised vector", "DequantizeLinear", Vector),
        new("turned quantised weight", "MatMul", Turned),
        new("integer product", "Mul", IntegerProduct),
        new("integer product", $"{Ms}MatMulIntegerToFloat", (node, rewriting) => FromIntegers(node, rewriting, Unrounded(node.Input(0)!), scale: 3, zero: 5, bias: 6)),
        new("product of rounded activations", $"{Ms}DynamicQuantizeMatMul", (node, rewriting) => FromIntegers(node, rewriting, node.Input(0), scale: 2, zero: 3, bias: 4)),
        new("product of rounded activations", $"{Ms}MatMulNBits", NBits),
    ];

    private static readonly Pattern Rounded = Op("DynamicQuantizeLinear", Hole("x"));

    private static readonly Pattern Rescaled = Op(
        "Mul",
        Op("Cast", Op("MatMulInteger", Rounded, Hole("weight"))),
        Hole("scales", Op("Mul", Where("the scale of a rounded activation", value => value.Producer is { OpType: "DynamicQuantizeLinear" } rounding && rounding.Outputs[1] == value), Hole("scale"))));

    private static bool Activation(Node node, Rewriting rewriting)
    {
        if (node.Input(0)?.Producer is not { OpType: "QuantizeLinear" } rounding || rounding.Input(0) is not { IsConstant: false } x || x.Type != node.Output.Type) return false;
        if (!Same(rounding.Input(1), node.Input(1)) || !Same(rounding.Input(2), node.Input(2))) return false;
        if (rewriting.Graph.IsOutput(node.Output) && (x.Producer is null || rewriting.Graph.IsOutput(x))) return false;
        rewriting.Find(node, NotRounded);
        if (CutsOffNegatives(rounding) && x.Producer?.OpType is not ("Relu" or "Softmax" or "Sigmoid"))
        {
            rewriting.Find(node, "the rounding here is also the Relu of the file: it cuts off below zero, and so does training");
            return rewriting.Substitute(node, (_, at) => [at.Tape[x].Apply("Relu")]);
        }
        rewriting.Forward(node, x);
        return true;
    }

    // Quantisers leave a Relu out where zero is the lowest code.
    private static bool CutsOffNegatives(Node rounding) => rounding.Output.Type switch
    {
        ElementType.UInt8 or ElementType.UInt16 => rounding.Input(2) is null || ZeroPoint(rounding) == 0,
        ElementType.Int8 => ZeroPoint(rounding) == sbyte.MinValue,
        ElementType.Int16 => ZeroPoint(rounding) == short.MinValue,
        _ => false,
    };

    private static long? ZeroPoint(Node rounding) => rounding.Input(2) is { IsConstant: true, Constant: { Count: 1 } zero } ? zero.ToLongs()[0] : null;

    private static bool Same(Value? a, Value? b) => a == b || (a is { IsConstant: true } && b is { IsConstant: true } && a.Constant!.Bytes.SequenceEqual(b.Constant!.Bytes));

    // A bias: few numbers, widened once.
    private static bool Vector(Node node, Rewriting rewriting)
    {
        if (!LateDequantize.IsDequantized(node.Output) || node.Input(0)!.Constant is not { Rank: <= 1 } codes || node.Output.Type != ElementType.Float) return false;
        var (scale, zero) = (node.Input(1)!.Constant!.ToFloats(), node.Input(2)?.Constant!.ToLongs() ?? [0]);
        var widened = codes.ToLongs().Select((code, i) => (code - zero[i % zero.Length]) * scale[i % scale.Length]).ToArray();
        rewriting.Constant(node, Tensor.Of<float>([.. codes.Dims], widened));
        return true;
    }

    // x·(DQ(W))ᵀ
    private static bool Turned(Node node, Rewriting rewriting)
    {
        if (node.Input(1)?.Producer is not { OpType: "Transpose" } turn || turn.Ints("perm") is not (null or [1, 0]) || !LateDequantize.IsDequantized(turn.Input(0)!)) return false;
        return rewriting.Substitute(node, (product, at) => [at.Tape[product.Input(0)!].MatMul(at.Tape[turn.Output])]);
    }

    // Cast(MatMulInteger(round(x), W))·(scale of x · scale of W)
    private static bool IntegerProduct(Node node, Rewriting rewriting)
    {
        if (Rescaled.Match(node.Output) is not { } match || !match["weight"].IsConstant || !match["scale"].IsConstant) return false;
        var product = match["scales"] == node.Input(1) ? node.Input(0)!.Producer!.Input(0)!.Producer! : node.Input(1)!.Producer!.Input(0)!.Producer!;
        var rounding = product.Input(0)!.Producer!;
        if (!match["scales"].Producer!.Inputs.Contains(rounding.Outputs[1]) || product.Input(2) != rounding.Outputs[2]) return false;   // scale and zero point of the same rounding
        rewriting.Find(product, NotRounded);
        return rewriting.Substitute(node, (_, at) =>
        {
            var weight = Widened(at.Tape, match["weight"], match["scale"], product.Input(3));
            (weight.Value.Producer!.Source, var result) = (match["scales"].Producer!.Source, at.Tape[match["x"]].MatMul(weight));
            result.Value.Producer!.Source = product.Source;
            return [result];
        });
    }

    private static bool FromIntegers(Node node, Rewriting rewriting, Value? x, int scale, int zero, int bias)
    {
        if (x is null || node.Input(1) is not { IsConstant: true } weight || node.Input(scale) is not { IsConstant: true } factor) return false;
        rewriting.Find(node, NotRounded);
        return rewriting.Substitute(node, (_, at) =>
        {
            var product = at.Tape[x].MatMul(Widened(at.Tape, weight, factor, node.Input(zero)));
            return [node.Input(bias) is { } added ? product + at.Tape[added] : product];
        });
    }

    /// <summary>What a product of integers with its own rescaling is of numbers: x·(W − zero)·scale, x as it was before its rounding; null where x is no rounded value, or cut off below zero by it.</summary>
    /// <param name="node">The operator, which is noted as one that rounds.</param>
    /// <param name="rewriting">The graph.</param>
    /// <param name="scale">Input that holds the scales of the weight.</param>
    /// <param name="zero">Input that holds its zero points.</param>
    public static Expr? Product(Node node, Rewriting rewriting, int scale, int zero)
    {
        if (node.Input(1) is not { IsConstant: true } weight || node.Input(scale) is not { IsConstant: true } factor || Unrounded(node.Input(0)!) is not { } x) return null;
        rewriting.Find(node, NotRounded);
        return rewriting.Tape[x].MatMul(Widened(rewriting.Tape, weight, factor, node.Input(zero)));
    }

    private static Value? Unrounded(Value rounded) => rounded.Producer switch
    {
        { OpType: "QuantizeLinear" } rounding when !CutsOffNegatives(rounding) => rounding.Input(0),
        _ => Rounded.Match(rounded)?["x"],
    };

    private static Expr Widened(Tape tape, Value weight, Value scale, Value? zero) =>
        tape.Op("DequantizeLinear", [tape[weight], tape[scale], zero is null ? null : tape[zero]], ("axis", 1));

    private static bool NBits(Node node, Rewriting rewriting)
    {
        if (node.Int("accuracy_level", 0) == 4) rewriting.Find(node, NotRounded);
        node.Attributes["accuracy_level"] = 1;
        return false;
    }
}
