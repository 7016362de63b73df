namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One number for each row, read from logit 0: mean of (logits[:, 0] − labels)², labels float [B].</summary>
/// <remarks>Where the export fixes the number of rows, a batch may have fewer: a row without a number (NaN) does not count.</remarks>
internal sealed class Regression : ILoss
{
    public string Name => "regression";

    public LossValue Emit(LossCall model)
    {
        var logits = model.Output(name: null, rank: 2);
        var labels = model.Labels(ElementType.Float, [logits.Shape[0]]);
        var difference = logits.Slice(1, 0, 1).Squeeze(1) - labels;
        if (!labels.Shape[0].IsKnown) return new((difference * difference).Apply("ReduceMean", ("keepdims", 0)), logits);
        var ignored = labels.Apply("IsNaN");
        var counted = model.Tape.Scalar(0, ElementType.Float).Where(ignored, difference);
        return new((counted * counted).Total() / ignored.Apply("Not").Cast(ElementType.Float).Total()
            .Apply("Max", model.Tape.Scalar(1, ElementType.Float)), logits);
    }
}
