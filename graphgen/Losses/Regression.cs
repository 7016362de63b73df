using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One number for each row, read from logit 0: mean of (logits[:, 0] − labels)², labels float [B].</summary>
internal sealed class Regression : ITaskLoss
{
    public string Name => "regression";

    public (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null)
    {
        var logits = this.Logits(tape, output, rank: 2);
        var labels = TaskLosses.LabelsInput(tape, ElementType.Float, [logits.Shape[0]]);
        var difference = logits.Slice(1, 0, 1).Squeeze(1) - labels;
        return ((difference * difference).Apply("ReduceMean", ("keepdims", 0)), logits);
    }
}
