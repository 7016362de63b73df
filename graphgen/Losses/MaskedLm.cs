using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>The original token at each masked position: logits [B, S, V], labels int64 [B, S], −100 where nothing was masked.</summary>
internal sealed class MaskedLm : ITaskLoss
{
    public string Name => "masked-lm";

    public (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null)
    {
        var logits = this.Logits(tape, output, rank: 3);
        return (CrossEntropy.Mean(logits, TaskLosses.LabelsInput(tape, ElementType.Int64, [logits.Shape[0], logits.Shape[1]])), logits);
    }
}
