using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>The likeliest class of each letter or word, that of its first token.</summary>
/// <param name="labels">Names of the classes, in the order of the logits; further ones are called by their index.</param>
internal sealed class TokenPredictions(IReadOnlyList<string> labels) : IPredictions
{
    /// <summary>What stands for a letter or word that the length limit cut off.</summary>
    public const string CutOff = "?";

    /// <summary>Logits [rows, tokens, classes].</summary>
    public IEnumerable<IReadOnlyList<PredictedCell>> Read(OnnxTensor output, IReadOnlyList<Sample> samples)
    {
        var (logits, length, classes) = (output.ToFloats(), (int)output.Dims[^2], (int)output.Dims[^1]);
        return samples.Select((sample, row) =>
        {
            var (names, isBroken) = (new List<string>(), false);
            foreach (var at in sample.WordStarts!)
            {
                if (at == Sample.NoToken)
                {
                    names.Add(CutOff);
                    continue;
                }
                var scores = logits.AsSpan(((row * length) + at) * classes, classes);
                isBroken |= !TensorPrimitives.IsFiniteAll<float>(scores);
                names.Add(ClassPredictions.NameOf(labels, TensorPrimitives.IndexOfMax<float>(scores)));   // as accuracy counts it
            }
            return new[] { new PredictedCell("labels", string.Join(' ', names)) { IsBroken = isBroken } };
        });
    }
}
