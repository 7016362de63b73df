using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Fused;

/// <summary>ONNX Runtime's norms with sums in front of them: the sum, then the whole norm.</summary>
internal static class FusedNormForms
{
    public static readonly Form[] All =
    [
        new Replace("norm of a sum", OrtOps.SkipLayerNormalization, (node, rewriting) => rewriting.Substitute(node, LayerNormOfSum)),
        new Replace(
            "norm of a sum", OrtOps.SkipSimplifiedLayerNormalization, (node, rewriting) => rewriting.Substitute(node, RmsNormOfSum)),
        new Replace(
            "norm of embeddings", OrtOps.EmbedLayerNormalization, (node, rewriting) => rewriting.Substitute(node, NormOfEmbeddings)),
    ];

    // input, skip, gamma, beta, bias → y, mean, 1/deviation, sum
    private static Expr?[] LayerNormOfSum(Node node, Rewriting rewriting)
    {
        var sum = Sum(node, rewriting, bias: 4);
        return [LayerNorm(rewriting.Tape, node, sum, gamma: 2, beta: 3), null, null, sum];
    }

    // input, skip, gamma, bias → y, mean, 1/deviation, sum
    private static Expr?[] RmsNormOfSum(Node node, Rewriting rewriting)
    {
        var (tape, sum) = (rewriting.Tape, Sum(node, rewriting, bias: 3));
        return [tape.Op(
            "SimplifiedLayerNormalization",
            [sum, tape[node.Operand(2)]],
            ("axis", -1),
            ("epsilon", node.Float("epsilon", 1e-12f)),
            ("stash_type", 1)),
            null, null, sum];
    }

    // ids, segments, three tables, gamma, beta, mask, positions → y, lengths, sum
    private static Expr?[] NormOfEmbeddings(Node node, Rewriting rewriting)
    {
        var tape = rewriting.Tape;
        var ids = tape[node.Operand(0)];
        var positions = node.Input(8) is { } given ? tape[given] : Positions(ids);
        var sum = Rows(2, ids) + Rows(3, positions);
        if (node.Input(1) is { } segments && node.Input(4) is not null) sum += Rows(4, tape[segments]);
        var lengths = node.Input(7) is { } mask ? tape.Op("ReduceSum", [tape[mask], tape.Longs(1)], ("keepdims", 0)) : (Expr?)null;
        return [LayerNorm(tape, node, sum, gamma: 5, beta: 6), lengths, sum];

        Expr Rows(int table, Expr index) => tape.Op("Gather", [tape[node.Operand(table)], index]);
    }

    private static Expr Positions(Expr ids)
    {
        var tape = ids.Tape;
        return tape.Op("Range", [tape.Constant(OnnxTensor.Scalar(0L)), ids.SizeOf(1).Squeeze(0), tape.Constant(OnnxTensor.Scalar(1L))]);
    }

    // The bias belongs to the product that is added; where neither operand is one, its place does not matter.
    private static Expr Sum(Node node, Rewriting rewriting, int bias)
    {
        var tape = rewriting.Tape;
        var (input, skip) = (tape[node.Operand(0)], tape[node.Operand(1)]);
        if (node.Input(bias) is not { } added) return input + skip;
        return node.Operand(1).Producer is { Op: "MatMul" or "Gemm" or OrtOps.MatMulNBits }
            ? input + (skip + tape[added])
            : input + tape[added] + skip;
    }

    private static Expr LayerNorm(Tape tape, Node node, Expr x, int gamma, int beta) => tape.Op(
        "LayerNormalization",
        [x, tape[node.Operand(gamma)], node.Input(beta) is { } shift ? tape[shift] : null],
        ("axis", -1),
        ("epsilon", node.Float("epsilon", 1e-12f)),
        ("stash_type", 1));
}
