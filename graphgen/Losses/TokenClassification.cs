namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>One class for each token, or the original token at each masked position: logits [B, S, classes], labels int64 [B, S], −100 on
/// what has none.</summary>
internal sealed class TokenClassification(string name) : ILoss
{
    public string Name => name;

    public LossValue Emit(LossCall model)
    {
        var logits = model.Output(name: null, rank: 3);
        return new(CrossEntropy.Mean(logits, model.Labels(ElementType.Int64, [logits.Shape[0], logits.Shape[1]])), logits);
    }
}
