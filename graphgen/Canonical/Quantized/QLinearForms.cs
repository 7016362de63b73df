using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>Operators on integers with scales beside them: the operator on numbers, rounded again behind it as the file does. The roundings
/// cancel where the next one widens.</summary>
internal static class QLinearForms
{
    public static readonly Form[] All =
    [
        new Replace(
            "product of integers",
            "QLinearMatMul",
            (node, rewriting) => rewriting.Substitute(node, (product, at) => [Product(product, at)])),
        new Replace(
            "product of integers",
            OrtOps.QLinearMatMul,
            (node, rewriting) => rewriting.Substitute(node, (product, at) => [Product(product, at)])),
        new Replace(
            "product of integers", OrtOps.QGemm, (node, rewriting) => rewriting.Substitute(node, (product, at) => [Gemm(product, at)])),
        .. new[] { "Add", "Mul" }.Select(op => Elementwise(op, operands: 2)),
        .. new[] { "Sigmoid", "LeakyRelu", "Softmax" }.Select(op => Elementwise(op, operands: 1)),
        new Replace(
            "integers joined", OrtOps.QLinearConcat, (node, rewriting) => rewriting.Substitute(node, (joined, at) => [Concat(joined, at)])),
        new Replace(
            "integers chosen", OrtOps.QLinearWhere, (node, rewriting) => rewriting.Substitute(node, (chosen, at) => [Where(chosen, at)])),
    ];

    private static Replace Elementwise(string op, int operands) =>
        new Replace(
            "operator on integers",
            $"{OrtOps.Domain}::QLinear{op}",
            (node, rewriting) => rewriting.Substitute(node, (integers, at) =>
            {
                Expr?[] inputs = [.. Enumerable.Range(0, operands).Select(i => (Expr?)Operand(integers, at, 3 * i))];
                (string, OnnxAttribute?)[] kept = [.. integers.Attributes.Where(attribute => attribute.Key is "alpha" or "axis")
                    .Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value))];
                return [Rounded(integers, at, at.Tape.Op(op, inputs, kept), 3 * operands)];
            }));

    private static Expr Product(Node node, Rewriting at)
    {
        var product = Operand(node, at, 0).MatMul(Weight(node, at, 3));
        return Rounded(node, at, product, 6);
    }

    // α·A·B + C, where the integers of C have the scale of A times that of B
    private static Expr Gemm(Node node, Rewriting at)
    {
        var (a, b) = (Operand(node, at, 0), Weight(node, at, 3));
        var product = (node.Int("transA", 0) == 1 ? a.T : a).MatMul(node.Int("transB", 0) == 1 ? b.T : b);
        var alpha = node.Float("alpha", 1);
        if (alpha != 1) product *= alpha;
        if (node.Input(6) is { } bias) product += Bias(node, at, bias);
        return node.Input(7) is null ? product : Rounded(node, at, product, 7);
    }

    private static Expr Bias(Node node, Rewriting at, Value bias)
    {
        var (a, b) = (node.Operand(1), node.Operand(4));
        if (bias is not { IsConstant: true, Constant: { } codes } || !a.IsConstant || !b.IsConstant)
            return at.Tape[bias].Cast(ElementType.Float) * (at.Tape[a] * at.Tape[b]);
        var scale = a.Constant!.ToFloats()[0];
        var scales = OnnxTensor.Vector<float>(Array.ConvertAll(b.Constant!.ToFloats(), number => number * scale));
        return at.Tape[at.Like(bias, QuantizedForms.Widened(codes, scales, null))];
    }

    private static Expr Concat(Node node, Rewriting at)
    {
        var parts = Enumerable.Range(0, (node.Inputs.Count - 2) / 3).Select(i => Operand(node, at, 2 + (3 * i))).ToArray();
        return Rounded(node, at, Expr.Concat(node.Int("axis", 0), parts), 0);
    }

    private static Expr Where(Node node, Rewriting at) =>
        Rounded(node, at, Operand(node, at, 1).Where(at.Tape[node.Operand(0)], Operand(node, at, 4)), 7);

    // Integers, scale, zero point from an input on.
    private static Expr Operand(Node node, Rewriting at, int input) =>
        RoundedActivations.Widened(at, node, node.Operand(input), node.Operand(input + 1), node.Input(input + 2));

    // A stored matrix stays in low-bit form until its product needs it.
    private static Expr Weight(Node node, Rewriting at, int input)
    {
        var weight = node.Operand(input);
        var scale = node.Operand(input + 1);
        var zero = node.Input(input + 2);
        return weight.IsConstant && scale.IsConstant
            ? QuantizedForms.Widened(at, weight, scale, zero, axis: node.Int("transB", 0) == 1 ? 0 : 1)
            : Operand(node, at, input);
    }

    private static Expr Rounded(Node node, Rewriting at, Expr result, int scale)
    {
        at.Find(node, RoundedActivations.NotRounded);
        var zero = node.Input(scale + 1);
        return at.Tape.Op("QuantizeLinear", [result, at.Tape[node.Operand(scale)], zero is null ? null : at.Tape[zero]]);
    }
}
