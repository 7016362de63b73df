using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Fused;

/// <summary>ONNX Runtime's product with transposed batch axes, as its optimiser makes of Transpose and MatMul, comes apart again.</summary>
internal static class FusedProductForms
{
    public static readonly Form[] All = [new Replace("product with transposed batch axes", OrtOps.FusedMatMul, TransposedBatch)];

    // transBatch: an operand [m, .., k] stands for [.., m, k]; trans: the last two axes change places after that.
    private static Outcome TransposedBatch(Node node, Rewriting rewriting)
    {
        if (node.Int("transBatchA", 0) == 0 && node.Int("transBatchB", 0) == 0) return "it transposes no batch axes";
        if (node.Inputs.Any(input => input?.Shape is not { Rank: >= 2 })) return "the shape of an operand is not known";
        return rewriting.Substitute(
            node, (_, _) => [Operand(0, "transA", "transBatchA").MatMul(Operand(1, "transB", "transBatchB"), node.Float("alpha", 1))]);

        Expr Operand(int input, string transposed, string transposedBatch)
        {
            var operand = rewriting.Tape[node.Inputs[input]!];
            if (node.Int(transposedBatch, 0) != 0)
                operand = operand.MoveAxes([.. Enumerable.Range(1, operand.Rank - 2), 0, operand.Rank - 1]);
            return node.Int(transposed, 0) != 0 ? operand.T : operand;
        }
    }
}
