using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Masks of inverted dropout: 0 with probability p, else 1/(1 − p); a function of seed, step, micro-batch and site.</summary>
/// <param name="seed">Seed of the run.</param>
/// <param name="probability">Probability p of a zero.</param>
internal sealed class DropoutMasks(long seed, double probability)
{
    /// <summary>The mask for one input of the adapted layers, [B, S, width], or [B·S, width] where the model has merged rows and tokens
    /// before.</summary>
    /// <param name="name">The graph's input.</param>
    /// <param name="dimensions">Its dimensions, of which the last is known.</param>
    /// <param name="at">The step, and the micro-batch in it.</param>
    /// <param name="batch">The batch.</param>
    internal OnnxTensor Mask(string name, ReadOnlySpan<int> dimensions, (long Step, int MicroBatch) at, Batch batch)
    {
        var width = dimensions[^1];
        var random = new SeededRandom(seed, $"{name}/{at.Step}/{at.MicroBatch}");
        var keep = (float)(1 / (1 - probability));
        var mask = new float[(long)batch.Rows * batch.Length * width];
        for (var i = 0; i < mask.Length; i++) mask[i] = random.NextUniform() < probability ? 0 : keep;
        return OnnxTensor.Of<float>(dimensions.Length == 2 ? [batch.Rows * batch.Length, width] : [batch.Rows, batch.Length, width], mask);
    }
}
