using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>Mean over the labels ≠ −100 of −log softmax(logits)[label]; 0 where there is no such label.</summary>
/// <remarks>Only the log-probabilities are as large as the logits. The gradient, exp(log p)·w with −w put at the labels, is made in their
/// place (see the rule of LogSoftmax): no one-hot, no dense gradient of what was picked.</remarks>
internal static class CrossEntropy
{
    /// <summary>Writes the mean.</summary>
    /// <param name="logits">[.., classes].</param>
    /// <param name="labels">int64 [..].</param>
    public static Expr Mean(Expr logits, Expr labels)
    {
        var tape = logits.Tape;
        var ignored = labels.Apply("Equal", tape.Scalar(TaskLosses.Ignored, ElementType.Int64)).Unsqueeze(-1);
        var index = tape.Scalar(0, ElementType.Int64).Where(ignored, labels.Unsqueeze(-1));
        var picked = tape.Op("GatherElements", [logits.Apply("LogSoftmax", ("axis", -1)), index], ("axis", -1));   // [.., 1]
        var sum = tape.Scalar(0, ElementType.Float).Where(ignored, picked).Total();
        var count = ignored.Apply("Not").Cast(ElementType.Float).Total();
        return -sum / count.Apply("Max", tape.Scalar(1, ElementType.Float));
    }
}
