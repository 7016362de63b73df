using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One class for each row: logits [B, classes], labels int64 [B].</summary>
internal sealed class Classification : ITaskLoss
{
    public string Name => "classification";

    public (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null)
    {
        var logits = this.Logits(tape, output, rank: 2);
        return (CrossEntropy.Mean(logits, TaskLosses.LabelsInput(tape, ElementType.Int64, [logits.Shape[0]])), logits);
    }
}
