using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>The next token: logits [B, S, V] at t against labels (int64 [B, S]) at t + 1 of the same row; −100 on padding and
/// prompts.</summary>
internal sealed class CausalLm : ILoss
{
    public string Name => "causal-lm";

    public LossValue Emit(LossCall model)
    {
        var logits = model.Output(name: null, rank: 3);
        var labels = model.Labels(ElementType.Int64, [logits.Shape[0], logits.Shape[1]]);
        return new(CrossEntropy.Mean(logits, Shifted(labels)), logits);   // the labels move, not the large logits
    }

    /// <summary>Labels that a token stands before: those of the first column are never predicted.</summary>
    public long CountLabels(OnnxTensor labels) => TaskLosses.CountNextTokens(labels);

    // labels[:, 1:] with a column of −100 behind; a Pad of integers would have no kernel on CUDA
    private static Expr Shifted(Expr labels)
    {
        var tape = labels.Tape;
        var column = Expr.Concat(0, labels.SizeOf(0), tape.Longs(1));   // [B, 1]
        return Expr.Concat(
            1, labels.Slice(1, 1, long.MaxValue), tape.Op("Expand", [tape.Scalar(TaskLosses.Ignored, ElementType.Int64), column]));
    }
}
