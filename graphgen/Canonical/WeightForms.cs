using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Ways of writing x·W + b with a stored W that become the plain one: scales between the tensor and the bias, axes of length 1, Gemm's factors.</summary>
internal static class WeightForms
{
    public static readonly Form[] All =
    [
        new("scaled constant", "Mul", ScaledConstant),
        new("scaled constant", "Div", ScaledConstant),
        new("codes times their scale", "Mul", CodeForms.TimesScale),
        new("factors of a product", "Gemm", FactorsOfGemm),
        new("weight with further axes", "MatMul", Product),
        new("weight with further axes", OrtOps.FusedMatMul, Product),
        new("scale in front of a product", "MatMul", ScaleInFront),
        new("scale in front of a product", OrtOps.FusedMatMul, ScaleInFront),
        new("scale in front of the bias", "Add", ScaleInFrontOfBias),
    ];

    // Stored numbers times stored numbers: known before the graph runs.
    private static bool ScaledConstant(Node node, Rewriting at)
    {
        if (node.Input(0) is not { IsConstant: true, Constant: { Type: ElementType.Float } a }) return false;
        if (node.Input(1) is not { IsConstant: true, Constant: { Type: ElementType.Float } b }) return false;
        if (node.Source is not { } source || StoredPath.Of(source.Output) is not { IsExact: true } path || path.Tensor.Count < 2) return false;
        if (node.Output.Shape?.Known is not { } dims || Math.Max(a.Count, b.Count) != path.Tensor.Count) return false;
        var isDivided = node.Op == "Div";
        at.Constant(node, OnnxTensor.Computed(ElementType.Float, dims, () =>
        {
            var (x, y) = (Broadcast.To(a, dims), Broadcast.To(b, dims));
            for (var i = 0; i < x.Length; i++) x[i] = isDivided ? x[i] / y[i] : x[i] * y[i];
            return WeightView.Round(x, ElementType.Float);
        }));
        return true;
    }

    // α·x·W + β·b = x·(α·W) + (β·b)
    private static bool FactorsOfGemm(Node node, Rewriting at)
    {
        var (alpha, beta) = (node.Float("alpha", 1), node.Float("beta", 1));
        if (node.Int("transA", 0) != 0) return false;
        if (node.Input(1) is { } weight && !ScaledProducts.IsPlain(weight) && StoredMatrixOperand.Of(at, weight) is var (matrix, isTransposed))
        {
            node.SetInput(1, matrix);
            if (isTransposed) node.Attributes["transB"] = 1 - node.Int("transB", 0);
        }
        if ((alpha == 1 && beta == 1) || ScaledProducts.WeightOf(node) is null) return false;
        var bias = node.Input(2);
        if (beta != 1 && bias is not null and not { IsConstant: true, Constant.Type: ElementType.Float }) return false;
        var scaled = alpha == 1 ? at.Copy(node, node.Inputs) : ScaledProducts.Scaled(at, node, null, [alpha]);
        if (scaled is null) return false;
        scaled.Attributes.Remove("alpha");
        scaled.Attributes.Remove("beta");
        if (bias is not null && beta != 1) scaled.SetInput(2, ScaledBias(at, bias, beta));
        at.TakeOver(node, scaled.Output);
        return true;
    }

    private static Value ScaledBias(Rewriting at, Value bias, float factor)
    {
        var stored = bias.Constant!;
        var scaled = at.Like(bias, OnnxTensor.Of<float>([.. stored.Dims], Array.ConvertAll(stored.ToFloats(), number => number * factor)));
        at.AddFactor(scaled, bias, null, [factor]);
        return scaled;
    }

    // [1, K, N] times rows, a dequantised matrix behind views, FusedMatMul's alpha.
    private static bool Product(Node node, Rewriting at)
    {
        if (node.Input(0) is not { IsConstant: false, Shape: { Rank: >= 1 } rows } || node.Input(1) is not { Shape: { } shape } weight) return false;
        if (node.Int("transA", 0) + node.Int("transBatchA", 0) + node.Int("transBatchB", 0) != 0) return false;
        var alpha = node.Float("alpha", 1);
        if (ScaledProducts.IsPlain(weight) && alpha == 1) return false;
        if (StoredMatrixOperand.Of(at, weight) is not var (matrix, isTransposed) || rows.Rank < 2) return false;
        return at.Substitute(node, (_, _) =>
        {
            var operand = at.Tape[matrix];
            var product = at.Tape[node.Input(0)!].MatMul(isTransposed ^ (node.Int("transB", 0) == 1) ? operand.T : operand);
            for (var axis = rows.Rank; axis < shape.Rank; axis++) product = product.Unsqueeze(0);
            return [alpha == 1 ? product : product * alpha];
        });
    }

    // (x∘s)·W with a scale that belongs to this weight.
    private static bool ScaleInFront(Node node, Rewriting at)
    {
        if (node.Source is not { } source || InputScale.Of(source) is null || node.Input(0)!.Producer is not { } scale) return false;
        if (scale.Source != source.Input(0)!.Producer || scale.Op != "Mul") return false;
        var side = scale.Input(0)!.IsConstant ? 0 : 1;
        if (scale.Input(side) is not { IsConstant: true, Constant: { Type: ElementType.Float } factor } || scale.Input(1 - side)!.IsConstant) return false;
        if (ScaledProducts.Scaled(at, node, factor.ToFloats(), null) is not { } scaled) return false;
        scaled.SetInput(0, scale.Input(1 - side));
        at.TakeOver(node, scaled.Output);
        return true;
    }

    // (x·W)∘t + b
    private static bool ScaleInFrontOfBias(Node add, Rewriting at)
    {
        for (var side = 0; side < 2; side++)
        {
            if (add.Input(1 - side)?.Producer is not { Op: "Mul" or "Div" } scale || !IsReadOnce(scale.Output, at)) continue;
            var (product, factor) = scale.Input(0)!.IsConstant ? (scale.Input(1)!, scale.Input(0)!) : (scale.Input(0)!, scale.Input(1)!);
            if (scale.Op == "Div" && factor != scale.Input(1)) continue;
            if (factor is not { IsConstant: true, Constant: { Type: ElementType.Float } numbers } || product.Producer is not { } node) continue;
            if (ScaledProducts.WeightOf(node) is null || !IsReadOnce(product, at) || HasBias(node)) continue;
            var outputs = ScaledProducts.OutOf(node);
            if (!IsVector(add.Input(side)!, outputs) || !(numbers.Count == 1 || IsVector(factor, outputs))) continue;
            var byOutput = numbers.ToFloats();
            if (scale.Op == "Div") byOutput = Array.ConvertAll(byOutput, number => 1 / number);
            if (ScaledProducts.Scaled(at, node, null, byOutput) is not { } scaled) continue;
            add.SetInput(1 - side, scaled.Output);
            return true;
        }
        return false;
    }

    private static bool HasBias(Node node) => node.Input(node.Op == OrtOps.MatMulNBits ? 5 : 2) is not null && node.Op is "Gemm" or OrtOps.MatMulNBits;

    private static bool IsReadOnce(Value value, Rewriting at) => !at.Graph.IsOutput(value) && value.Uses.Count(use => use.Node.Op != "Shape") == 1;

    private static bool IsVector(Value value, long count) =>
        value is { IsConstant: true, Constant: { Rank: >= 1 } tensor } && tensor.Count == count && tensor.Dims[^1] == count;
}
