using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>Products whose stored weight takes in a scale that the file applies in front of or behind them: y = ((x∘s)·W)∘t =
/// x·(diag(s)·W·diag(t)).</summary>
internal static class ScaledProducts
{
    /// <summary>The stored matrix that a node multiplies with, as a constant or dequantised late; null where it is none of rank
    /// 2.</summary>
    public static Value? WeightOf(Node node)
    {
        if (node.Op is not ("MatMul" or OrtOps.FusedMatMul or "Gemm" or OrtOps.MatMulNBits)) return null;
        if (node.Input(0) is not { IsConstant: false } || node.Input(1) is not { } weight) return null;
        if (node.Op == OrtOps.MatMulNBits) return weight.IsConstant && node.Operand(2).IsConstant ? weight : null;
        return IsPlain(weight) ? weight : null;
    }

    /// <summary>Whether a value is a stored matrix of rank 2.</summary>
    public static bool IsPlain(Value value) =>
        value is { IsConstant: true, Constant: { Rank: 2, Type: ElementType.Float } }
            || (LateDequantize.IsDequantized(value) && value.Shape is { Rank: 2, Known: not null });

    /// <summary>Output features of a product.</summary>
    public static long OutOf(Node node) =>
        node.Op == OrtOps.MatMulNBits ? node.Int("N", 0) : node.Operand(1).Shape![LayoutOf(node) is Layout.OutIn ? 0 : 1].Value!.Value;

    /// <summary>Whether stored numbers scale the input of a product for it alone, or its output.</summary>
    public static bool IsBetweenScales(Node node) =>
        WeightOf(node) is not null
        && ((IsScale(node.Operand(0).Producer) && node.Operand(0).Uses.Count == 1)
            || (node.Output.Uses is [{ Node: var reader }] && IsScale(reader)));

    private static bool IsScale(Node? node) =>
        node is { Op: "Mul" or "Div" } && node.Inputs.Any(input => input!.IsConstant);

    /// <summary>A copy of a product with the scales in its weight; null where the stored form has no place for them.</summary>
    /// <param name="at">The graph.</param>
    /// <param name="node">The product.</param>
    /// <param name="byInput">s, a number for each input feature or one for all; null = 1.</param>
    /// <param name="byOutput">t, a number for each output feature or one for all; null = 1.</param>
    public static Node? Scaled(Rewriting at, Node node, float[]? byInput, float[]? byOutput)
    {
        if (WeightOf(node) is not { } weight) return null;
        var inputs = node.Inputs.ToArray();
        var place = node.Op == OrtOps.MatMulNBits ? 2 : 1;
        var scaled = weight switch
        {
            _ when place == 2 => byInput is null ? ScaledBlocks(at, node, byOutput!) : null,
            { IsConstant: true } => ScaledFloats(at, weight, LayoutOf(node), byInput, byOutput),
            _ => byInput is null ? ScaledCodes(at, weight.Producer!, LayoutOf(node), byOutput!) : null,
        };
        if (scaled is null) return null;
        at.AddFactor(scaled, inputs[place]!, byInput, byOutput);
        inputs[place] = scaled;
        return at.Copy(node, inputs);
    }

    private static Layout LayoutOf(Node node) => Layouts.OfTransB(node.Int("transB", 0));

    private static Value ScaledFloats(Rewriting at, Value weight, Layout layout, float[]? byInput, float[]? byOutput)
    {
        var stored = weight.Constant!;
        var (rows, columns) = (stored.Dims[0], stored.Dims[1]);
        var (byRow, byColumn) = layout is Layout.OutIn ? (byOutput, byInput) : (byInput, byOutput);
        return at.Like(weight, OnnxTensor.Computed(ElementType.Float, [rows, columns], () =>
        {
            var numbers = stored.ToFloats();
            for (var row = 0L; row < rows; row++)
                for (var column = 0L; column < columns; column++)
                    numbers[(row * columns) + column] *= WeightFactor.Of(byRow, row) * WeightFactor.Of(byColumn, column);
            return WeightView.Round(numbers, ElementType.Float);
        }));
    }

    // One scale for all or one for each output feature becomes one for each; blocks along the inputs keep theirs.
    private static Value? ScaledCodes(Rewriting at, Node dequantize, Layout layout, float[] byOutput)
    {
        var codes = dequantize.Operand(0);
        var scale = dequantize.Operand(1);
        var zero = dequantize.Input(2);
        var (stored, outAxis) = (scale.Constant!, layout is Layout.OutIn ? 0 : 1);
        if (stored.Type != ElementType.Float) return null;
        var outputs = codes.Constant!.Dims[outAxis];
        var attributes = dequantize.Attributes.ToDictionary();
        var numbers = stored.ToFloats();
        long[] dims = [.. stored.Dims];
        if (byOutput.Length == 1) numbers = Array.ConvertAll(numbers, number => number * byOutput[0]);
        else if (stored.Count == 1)
        {
            if (zero is not null) return null;
            numbers = Array.ConvertAll(byOutput, factor => factor * numbers[0]);
            dims = [outputs];
            attributes["axis"] = outAxis;
        }
        else
        {
            var axis = dequantize.Axis(2, 1);
            if (stored.Rank == 1 ? axis != outAxis : axis == outAxis) return null;   // scales of inputs, or of blocks of outputs
            var across = stored.Rank == 1 ? 1 : dims[1];
            for (var i = 0; i < numbers.Length; i++) numbers[i] *= byOutput[outAxis == 0 || stored.Rank == 1 ? i / across : i % across];
        }
        var scaled = at.Copy(dequantize, [codes, at.Like(scale, OnnxTensor.Of<float>(dims, numbers)), zero]);
        foreach (var (name, attribute) in attributes) scaled.Attributes[name] = attribute;
        ShapeInference.Infer(scaled);
        return scaled.Output;
    }

    // MatMulNBits has a scale for each output feature and block.
    private static Value? ScaledBlocks(Rewriting at, Node product, float[] byOutput)
    {
        var scale = product.Operand(2);
        if (scale.Constant is not { Type: ElementType.Float } stored) return null;
        var (numbers, blocks) = (stored.ToFloats(), stored.Count / product.Int("N", 1));
        for (var i = 0; i < numbers.Length; i++) numbers[i] *= WeightFactor.Of(byOutput, i / blocks);
        return at.Like(scale, OnnxTensor.Of<float>([.. stored.Dims], numbers));
    }
}
