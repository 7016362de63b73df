using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One class for each token, or the original token at each masked position: logits [B, S, classes], labels int64 [B, S], −100 on
/// what has none.</summary>
internal sealed class TokenClassification(string name) : ITaskLoss
{
    public string Name => name;

    public (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null)
    {
        var logits = this.Logits(tape, output, rank: 3);
        return (CrossEntropy.Mean(logits, TaskLosses.LabelsInput(tape, ElementType.Int64, [logits.Shape[0], logits.Shape[1]])), logits);
    }
}
