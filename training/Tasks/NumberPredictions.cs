using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>The predicted number, logit 0.</summary>
internal sealed class NumberPredictions : IPredictions
{
    /// <summary>Logits [rows, any].</summary>
    public IEnumerable<IReadOnlyList<PredictedCell>> Read(OnnxTensor output, IReadOnlyList<Sample> samples)
    {
        var (logits, width) = (output.ToFloats(), (int)output.Dims[^1]);
        return samples.Select((_, row) => new[] { new PredictedCell("value", logits[row * width]) });
    }
}
