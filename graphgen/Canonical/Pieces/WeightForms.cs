using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>Ways of writing x·W + b with a stored W that become the plain one: scales between the tensor and the bias, axes of length 1,
/// Gemm's factors.</summary>
internal static class WeightForms
{
    public static readonly Form[] All =
    [
        new Replace("scaled constant", "Mul", ScaledConstant),
        new Replace("scaled constant", "Div", ScaledConstant),
        new Replace("codes times their scale", "Mul", CodeForms.TimesScale),
        new InPlace("weight with further axes", "Gemm", WeightOfGemm),
        new Replace("factors of a product", "Gemm", FactorsOfGemm),
        new Replace("weight with further axes", "MatMul", Product),
        new Replace("weight with further axes", OrtOps.FusedMatMul, Product),
        new Replace("scale in front of a product", "MatMul", ScaleInFront),
        new Replace("scale in front of a product", OrtOps.FusedMatMul, ScaleInFront),
        new InPlace("scale in front of the bias", "Add", ScaleInFrontOfBias),
    ];

    // Stored numbers times stored numbers: known before the graph runs.
    private static Outcome ScaledConstant(Node node, Rewriting at)
    {
        if (node.Input(0) is not { IsConstant: true, Constant: { Type: ElementType.Float } a })
            return "its first operand is not a stored float32 tensor";
        if (node.Input(1) is not { IsConstant: true, Constant: { Type: ElementType.Float } b })
            return "its second operand is not a stored float32 tensor";
        if (node.Source is not { } source || StoredPath.Of(source.Output) is not { IsExact: true } path || path.Tensor.Count < 2)
            return "the file does not hold its numbers as one tensor with a scale";
        if (node.Output.Shape?.Known is not { } dims || Math.Max(a.Count, b.Count) != path.Tensor.Count) return "it repeats the tensor";
        var isDivided = node.Op == "Div";
        at.Constant(node, OnnxTensor.Computed(ElementType.Float, dims, () =>
        {
            var (x, y) = (Broadcast.To(a, dims), Broadcast.To(b, dims));
            for (var i = 0; i < x.Length; i++) x[i] = isDivided ? x[i] / y[i] : x[i] * y[i];
            return WeightView.Round(x, ElementType.Float);
        }));
        return Outcome.Done;
    }

    private static Outcome WeightOfGemm(Node node, Rewriting at)
    {
        if (node.Int("transA", 0) != 0) return "its left operand is transposed";
        if (ScaledProducts.IsPlain(node.Operand(1))) return "its weight is a plain matrix already";
        if (StoredMatrixOperand.Of(at, node.Operand(1)) is not var (matrix, isTransposed))
            return "its right operand is not a stored matrix";
        node.SetInput(1, matrix);
        if (isTransposed) node.Attributes["transB"] = 1 - node.Int("transB", 0);
        return Outcome.Done;
    }

    // α·x·W + β·b = x·(α·W) + (β·b)
    private static Outcome FactorsOfGemm(Node node, Rewriting at)
    {
        var (alpha, beta) = (node.Float("alpha", 1), node.Float("beta", 1));
        if (node.Int("transA", 0) != 0) return "its left operand is transposed";
        if ((alpha == 1 && beta == 1) || ScaledProducts.WeightOf(node) is null)
            return "it has no factors, or its right operand is not a stored matrix";
        var bias = node.Input(2);
        if (beta != 1 && bias is not null and not { IsConstant: true, Constant.Type: ElementType.Float })
            return "the bias that its beta scales is computed";
        var scaled = alpha == 1 ? at.Copy(node, node.Inputs) : ScaledProducts.Scaled(at, node, null, [alpha]);
        if (scaled is null) return "the stored form of its weight has no place for a scale";
        scaled.Attributes.Remove("alpha");
        scaled.Attributes.Remove("beta");
        if (bias is not null && beta != 1) scaled.SetInput(2, ScaledBias(at, bias, beta));
        at.TakeOver(node, scaled.Output);
        return Outcome.Done;
    }

    private static Value ScaledBias(Rewriting at, Value bias, float factor)
    {
        var stored = bias.Constant!;
        var scaled = at.Like(bias, OnnxTensor.Of<float>([.. stored.Dims], Array.ConvertAll(stored.ToFloats(), number => number * factor)));
        at.AddFactor(scaled, bias, null, [factor]);
        return scaled;
    }

    // [1, K, N] times rows, a dequantised matrix behind views, FusedMatMul's alpha.
    private static Outcome Product(Node node, Rewriting at)
    {
        if (node.Input(0) is not { IsConstant: false, Shape: { Rank: >= 1 } rows } || node.Input(1) is not { Shape: { } shape } weight)
            return "the shape of an operand is not known, or the left one is stored";
        if (node.Int("transA", 0) + node.Int("transBatchA", 0) + node.Int("transBatchB", 0) != 0) return "its left operand is transposed";
        var alpha = node.Float("alpha", 1);
        if (ScaledProducts.IsPlain(weight) && alpha == 1) return "its weight is a plain matrix already";
        if (rows.Rank < 2) return "its left operand is a vector";
        if (StoredMatrixOperand.Of(at, weight) is not var (matrix, isTransposed)) return "its right operand is not a stored matrix";
        return at.Substitute(node, (_, _) =>
        {
            var operand = at.Tape[matrix];
            var product = at.Tape[node.Operand(0)].MatMul(isTransposed ^ (node.Int("transB", 0) == 1) ? operand.T : operand);
            for (var axis = rows.Rank; axis < shape.Rank; axis++) product = product.Unsqueeze(0);
            return [alpha == 1 ? product : product * alpha];
        });
    }

    // (x∘s)·W with a scale that belongs to this weight.
    private static Outcome ScaleInFront(Node node, Rewriting at)
    {
        if (node.Source is not { } source || InputScale.Of(source) is null || node.Operand(0).Producer is not { } scale)
            return "nothing scales the input of this product for it alone";
        if (scale.Source != source.Operand(0).Producer || scale.Op != "Mul") return "what scales its input was replaced";
        var side = scale.Operand(0).IsConstant ? 0 : 1;
        if (scale.Input(side) is not { IsConstant: true, Constant: { Type: ElementType.Float } factor }
            || scale.Operand(1 - side).IsConstant)
            return "what scales its input is computed";
        if (ScaledProducts.Scaled(at, node, factor.ToFloats(), null) is not { } scaled)
            return "the stored form of its weight has no place for a scale of each input";
        scaled.SetInput(0, scale.Input(1 - side));
        at.TakeOver(node, scaled.Output);
        return Outcome.Done;
    }

    // (x·W)∘t + b
    private static Outcome ScaleInFrontOfBias(Node add, Rewriting at)
    {
        for (var side = 0; side < 2; side++)
        {
            if (add.Input(1 - side)?.Producer is not { Op: "Mul" or "Div" } scale || !IsReadOnce(scale.Output, at)) continue;
            var (product, factor) = scale.Operand(0).IsConstant
                ? (scale.Operand(1), scale.Operand(0))
                : (scale.Operand(0), scale.Operand(1));
            if (scale.Op == "Div" && factor != scale.Input(1)) continue;
            if (factor is not { IsConstant: true, Constant: { Type: ElementType.Float } numbers } || product.Producer is not { } node)
                continue;
            if (ScaledProducts.WeightOf(node) is null || !IsReadOnce(product, at) || HasBias(node)) continue;
            var outputs = ScaledProducts.OutOf(node);
            if (!IsVector(add.Operand(side), outputs) || !(numbers.Count == 1 || IsVector(factor, outputs))) continue;
            var byOutput = numbers.ToFloats();
            if (scale.Op == "Div") byOutput = Array.ConvertAll(byOutput, number => 1 / number);
            if (ScaledProducts.Scaled(at, node, null, byOutput) is not { } scaled) continue;
            add.SetInput(1 - side, scaled.Output);
            return Outcome.Done;
        }
        return "no product whose stored weight could take in a scale is added here";
    }

    private static bool HasBias(Node node) =>
        node.Input(node.Op == OrtOps.MatMulNBits ? 5 : 2) is not null && node.Op is "Gemm" or OrtOps.MatMulNBits;

    private static bool IsReadOnce(Value value, Rewriting at) =>
        !at.Graph.IsOutput(value) && value.Uses.Count(use => use.Node.Op != "Shape") == 1;

    private static bool IsVector(Value value, long count) =>
        value is { IsConstant: true, Constant: { Rank: >= 1 } tensor } && tensor.Count == count && tensor.Dims[^1] == count;
}
