using System.Globalization;
using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>The likeliest class, its probability, and that of each class.</summary>
/// <param name="labels">Names of the classes, in the order of the logits; further ones are called by their index.</param>
internal sealed class ClassPredictions(IReadOnlyList<string> labels) : IPredictions
{
    private const string Label = "label";
    private const string Score = "score";

    // For a class that is called as one of the other columns.
    private const string Prefix = "probability.";

    /// <summary>Logits [rows, classes].</summary>
    public IEnumerable<IReadOnlyList<PredictedCell>> Read(OnnxTensor output, IReadOnlyList<Sample> samples)
    {
        var (logits, classes) = (output.ToFloats(), (int)output.Dims[^1]);
        for (var row = 0; row < samples.Count; row++)
        {
            var scores = logits.AsSpan(row * classes, classes);
            var best = TensorPrimitives.IndexOfMax<float>(scores);   // as accuracy counts it
            var probabilities = Softmax(scores);
            yield return
            [
                new(Label, NameOf(labels, best)),
                new(Score, probabilities[best]),
                .. probabilities.Select((p, index) => new PredictedCell(ColumnOf(index), p)),
            ];
        }
    }

    /// <summary>The name of a class.</summary>
    public static string NameOf(IReadOnlyList<string> labels, int index) =>
        index < labels.Count ? labels[index] : index.ToString(CultureInfo.InvariantCulture);

    private string ColumnOf(int index) => NameOf(labels, index) is var name && name is Label or Score ? Prefix + name : name;

    // p = exp(x − max) / Σ exp(x − max)
    private static float[] Softmax(ReadOnlySpan<float> scores)
    {
        double max = TensorPrimitives.Max(scores);
        var (powers, sum) = (new double[scores.Length], 0.0);
        for (var i = 0; i < scores.Length; i++) sum += powers[i] = Math.Exp(scores[i] - max);
        return [.. powers.Select(power => (float)(power / sum))];
    }
}
