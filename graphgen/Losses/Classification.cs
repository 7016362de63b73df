namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One class for each row: logits [B, classes], labels int64 [B].</summary>
internal sealed class Classification : ILoss
{
    public string Name => "classification";

    public LossValue Emit(LossCall model)
    {
        var logits = model.Output(name: null, rank: 2);
        return new(CrossEntropy.Mean(logits, model.Labels(ElementType.Int64, [logits.Shape[0]])), logits);
    }
}
