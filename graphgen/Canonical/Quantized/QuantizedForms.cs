using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>Low-bit weights become one thing, a product with a DequantizeLinear of constants (<c>MatMulNBits</c> stays); activations
/// are not rounded in training.</summary>
internal static class QuantizedForms
{
    public static readonly Form[] All =
    [
        new Replace("quantised activation", "DequantizeLinear", Activation),
        new Replace("quantised activation", OrtOps.DequantizeLinear, Activation),
        new Replace("quantised vector", "DequantizeLinear", Vector),
        new Replace("transposed quantised weight", "MatMul", Transposed),
        new Replace("integer product", "Mul", IntegerProduct),
        new Replace("integer product", OrtOps.MatMulIntegerToFloat, FromRounded),
        new Replace(
            "product of rounded activations",
            OrtOps.DynamicQuantizeMatMul,
            (node, rewriting) => FromIntegers(node, rewriting, () => node.Input(0), scale: 2, zero: 3, bias: 4)),
        new InPlace("product of rounded activations", OrtOps.MatMulNBits, NBits),
    ];

    private static readonly Pattern Rounded = Op("DynamicQuantizeLinear", Hole("x"));

    private static readonly Pattern Rescaled = Op(
        "Mul",
        Op("Cast", Op("MatMulInteger", Rounded, Hole("weight"))),
        Hole(
            "scales",
            Op(
                "Mul",
                Where(
                    "the scale of a rounded activation",
                    value => value.Producer is { Op: "DynamicQuantizeLinear" } rounding && rounding.Outputs.ElementAtOrDefault(1) == value),
                Hole("scale"))));

    private static Outcome Activation(Node node, Rewriting rewriting)
    {
        if (node.Input(0) is not { IsConstant: false } codes
            || RoundedActivations.Sources(codes, node.Input(1), node.Input(2)) is not [var source, ..])
            return "what it widens was not rounded with the same scale and zero point";
        if (source.Type != node.Output.Type) return "it widens to another type than was rounded";
        if (rewriting.Graph.IsOutput(node.Output) && RoundedActivations.IsPlain(codes.Producer!)
            && (source.Producer is null || rewriting.Graph.IsOutput(source)))
            return "it is an output of the graph that needs a node of its own";
        var x = RoundedActivations.Unrounded(rewriting, node, codes, node.Input(1), node.Input(2))!.Value;
        x.Value.Producer?.Source ??= node.Source;
        rewriting.Forward(node, x.Value);
        return Outcome.Done;
    }

    // A bias: few numbers, widened once.
    private static Outcome Vector(Node node, Rewriting rewriting)
    {
        if (!LateDequantize.IsDequantized(node.Output) || node.Operand(0).Constant is not { Rank: <= 1 } codes
            || node.Output.Type != ElementType.Float)
            return "what it widens is not a stored vector";
        rewriting.Constant(node, Widened(codes, node.Operand(1).Constant!, node.Input(2)?.Constant));
        return Outcome.Done;
    }

    /// <summary>(code − zero)·scale of few numbers; scales and zero points repeat along the last axis.</summary>
    public static OnnxTensor Widened(OnnxTensor codes, OnnxTensor scales, OnnxTensor? zeros)
    {
        var (scale, zero) = (scales.ToFloats(), zeros?.ToLongs() ?? [0]);
        return OnnxTensor.Of<float>(
            [.. codes.Dims], [.. codes.ToLongs().Select((code, i) => (code - zero[i % zero.Length]) * scale[i % scale.Length])]);
    }

    // x·(DQ(W))ᵀ
    private static Outcome Transposed(Node node, Rewriting rewriting)
    {
        if (node.Input(1)?.Producer is not { Op: "Transpose" } transpose || transpose.Ints("perm") is not (null or [1, 0])
            || !LateDequantize.IsDequantized(transpose.Operand(0)))
            return "its right operand is not a transposed matrix of codes";
        return rewriting.Substitute(node, (product, at) => [at.Tape[product.Operand(0)].MatMul(at.Tape[transpose.Output])]);
    }

    // Cast(MatMulInteger(round(x), W))·(scale of x · scale of W)
    private static Outcome IntegerProduct(Node node, Rewriting rewriting)
    {
        if (Rescaled.Match(node.Output) is not { } match) return "it does not rescale a MatMulInteger of a rounded activation";
        var product = match["scales"] == node.Input(1)
            ? node.Operand(0).Producer!.Operand(0).Producer!
            : node.Operand(1).Producer!.Operand(0).Producer!;
        var rounding = product.Operand(0).Producer!;
        if (!match["scales"].Producer!.Inputs.Contains(rounding.Outputs[1]) || product.Input(2) != rounding.Outputs.ElementAtOrDefault(2))
            return "its scale or zero point are not those of the rounding";   // scale and zero point of the same rounding
        if (!IsOfFeatures(match["weight"], match["scale"], product.Input(3)))
            return "its scales or zero points are computed, or do not belong to output features";
        rewriting.Find(product, RoundedActivations.NotRounded);
        return rewriting.Substitute(node, (_, at) =>
        {
            var weight = Widened(at, match["weight"], match["scale"], product.Input(3));
            (weight.Value.Producer!.Source, var result) = (match["scales"].Producer!.Source, at.Tape[match["x"]].MatMul(weight));
            result.Value.Producer!.Source = product.Source;
            return [result];
        });
    }

    // x was rounded with a scale of its own numbers, or with one that is stored.
    private static Outcome FromRounded(Node node, Rewriting rewriting) => FromIntegers(
        node,
        rewriting,
        () => Unrounded(node.Operand(0))
            ?? RoundedActivations.Unrounded(rewriting, node, node.Operand(0), node.Input(2), node.Input(4))?.Value,
        scale: 3,
        zero: 5,
        bias: 6);

    private static Outcome FromIntegers(Node node, Rewriting rewriting, Func<Value?> data, int scale, int zero, int bias)
    {
        if (node.Input(1) is not { } weight || node.Input(scale) is not { } factor || !IsOfFeatures(weight, factor, node.Input(zero)))
            return "its scales or zero points are computed, or do not belong to output features";
        if (data() is not { } x) return "its data are not rounded in front of it";
        rewriting.Find(node, RoundedActivations.NotRounded);
        return rewriting.Substitute(node, (_, at) =>
        {
            var product = at.Tape[x].MatMul(Widened(at, weight, factor, node.Input(zero)));
            return [node.Input(bias) is { } added ? product + at.Tape[added] : product];
        });
    }

    /// <summary>Whether an operator multiplies a rounded value, not cut off below zero by the rounding, by stored integers with their
    /// scales.</summary>
    public static bool IsProduct(Node node, int scale, int zero) =>
        node.Input(0) is { } rounded && Unrounded(rounded) is not null && node.Input(1) is { } weight && node.Input(scale) is { } factor
        && IsOfFeatures(weight, factor, node.Input(zero));

    /// <summary>What such a product is of numbers: x·(W − zero)·scale, x as it was before its rounding.</summary>
    /// <param name="node">The operator, which is noted as one that rounds.</param>
    /// <param name="rewriting">The graph.</param>
    /// <param name="scale">Input that holds the scales of the weight.</param>
    /// <param name="zero">Input that holds its zero points.</param>
    public static Expr Product(Node node, Rewriting rewriting, int scale, int zero)
    {
        rewriting.Find(node, RoundedActivations.NotRounded);
        return rewriting.Tape[Unrounded(node.Operand(0))!].MatMul(Widened(
            rewriting, node.Operand(1), node.Operand(scale), node.Input(zero)));
    }

    private static Value? Unrounded(Value rounded) => rounded.Producer switch
    {
        { Op: "QuantizeLinear" or OrtOps.QuantizeLinear } rounding when !RoundedActivations.CutsOffNegatives(rounding) => rounding.Input(0),
        _ => Rounded.Match(rounded)?["x"],
    };

    // A stored matrix with a scale for all or for each output feature, and a zero point for all or for each scale.
    private static bool IsOfFeatures(Value weight, Value scale, Value? zero) =>
        weight is { IsConstant: true, Constant: { } codes } && scale is { IsConstant: true, Constant: { } scales }
        && (scales.Count == 1 || (codes.Rank == 2 && scales.Count == codes.Dims[1] && scales.Dims[^1] == scales.Count))
        && (zero is null || (zero is { IsConstant: true, Constant: { } zeros } && (zeros.Count == 1 || zeros.Count == scales.Count)));

    /// <summary>A stored matrix of integers as numbers, which stays in low-bit form until its product needs it.</summary>
    /// <remarks>Products of integers take one zero point beside many scales, and scales of more dimensions; DequantizeLinear takes a
    /// zero point for each scale of a vector.</remarks>
    public static Expr Widened(Rewriting at, Value weight, Value scale, Value? zero, int axis = 1)
    {
        var scales = scale.Constant!;
        if (scales.Rank > 1) scale = at.Like(scale, scales.WithDims([scales.Count]));
        if (zero is { Constant: { Count: 1 } one } && scales.Count > 1)
            zero = at.Like(
                zero, OnnxTensor.FromBytes(one.Type, [scales.Count], Enumerable.Repeat(one.Bytes[0], (int)scales.Count).ToArray()));
        return at.Tape.Op("DequantizeLinear", [at.Tape[weight], at.Tape[scale], zero is null ? null : at.Tape[zero]], ("axis", axis));
    }

    private static Outcome NBits(Node node, Rewriting rewriting)
    {
        if (node.Int("accuracy_level", 0) == 4) rewriting.Find(node, RoundedActivations.NotRounded);
        node.Attributes["accuracy_level"] = 1;
        return Outcome.Done;
    }
}
