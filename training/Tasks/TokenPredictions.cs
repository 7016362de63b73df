using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>The likeliest class of each letter or word, that of its first token.</summary>
/// <param name="labels">Names of the classes, in the order of the logits; further ones are called by their index.</param>
internal sealed class TokenPredictions(IReadOnlyList<string> labels) : IPredictions
{
    /// <summary>What stands for a letter or word that the length limit cut off.</summary>
    public const string CutOff = "?";

    /// <summary>int64 [rows, tokens], the likeliest class of each token.</summary>
    public IEnumerable<IReadOnlyList<PredictedCell>> Read(OnnxTensor output, IReadOnlyList<Sample> samples)
    {
        var (classes, length) = (output.ToLongs(), (int)output.Dims[^1]);
        return samples.Select((sample, row) => new[]
        {
            new PredictedCell("labels", string.Join(' ', sample.WordStarts!.Select(at => at == Sample.NoToken
                ? CutOff
                : ClassPredictions.NameOf(labels, (int)classes[(row * length) + at])))),
        });
    }
}
