using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One number for each row, read from logit 0: mean of (logits[:, 0] − labels)², labels float [B].</summary>
/// <remarks>Where the export fixes the number of rows, a batch may have fewer: a row without a number (NaN) does not count.</remarks>
internal sealed class Regression : ITaskLoss
{
    public string Name => "regression";

    public (Expr Loss, Expr? Logits) Emit(Tape tape, string? output = null)
    {
        var logits = this.Logits(tape, output, rank: 2);
        var labels = TaskLosses.LabelsInput(tape, ElementType.Float, [logits.Shape[0]]);
        var difference = logits.Slice(1, 0, 1).Squeeze(1) - labels;
        if (!labels.Shape[0].IsKnown) return ((difference * difference).Apply("ReduceMean", ("keepdims", 0)), logits);
        var ignored = labels.Apply("IsNaN");
        var counted = tape.Scalar(0, ElementType.Float).Where(ignored, difference);
        return ((counted * counted).Total() / ignored.Apply("Not").Cast(ElementType.Float).Total()
            .Apply("Max", tape.Scalar(1, ElementType.Float)), logits);
    }

    /// <summary>Rows that have a number.</summary>
    public long Count(OnnxTensor labels) => labels.ToFloats().LongCount(label => !float.IsNaN(label));
}
