using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What numbers of a linear layer look like before any training: U(−1/√in, 1/√in), biases too, where PyTorch starts them;
/// N(0, 0.02²) and biases of zero where Hugging Face does.</summary>
internal static class FreshLinear
{
    private const double UsualDeviation = 0.02;   // Hugging Face's initializer_range
    private const double LargestTolerance = 0.2;     // of few numbers, whose own deviation says little
    private const double Rounding = 1e-3;         // of numbers that are stored in 16 bits

    /// <summary>What in a layer looks as if it was never trained; null where it does not.</summary>
    /// <param name="parameters">Its weight [out, in], and its bias where the file has one; a file may leave out one of zeros.</param>
    public static string? SignOf(IReadOnlyList<OnnxTensor> parameters)
    {
        if (parameters.FirstOrDefault(tensor => tensor is { Rank: 2, Count: > 0 }) is not { } weight) return null;
        var weights = weight.ToFloats();
        float[] biases = [.. parameters.Where(tensor => tensor.Rank != 2).SelectMany(tensor => tensor.ToFloats())];
        var deviation = Math.Sqrt(weights.Average(x => (double)x * x));
        // Four times the standard error of a deviation.
        var tolerance = Math.Min(LargestTolerance, 4 / Math.Sqrt(2.0 * weights.Length));
        var bound = 1 / Math.Sqrt(weight.Dims[^1]);
        if (IsNear(bound / Math.Sqrt(3)) && weights.Concat(biases).All(x => Math.Abs(x) <= bound * (1 + Rounding)))
            return $"no number is above {Phrases.Number(bound)} = 1/√{weight.Dims[^1]}, where PyTorch draws the first ones";
        if (!IsNear(UsualDeviation) || Array.Exists(biases, bias => bias != 0)) return null;
        var zeros = biases.Length > 0 ? ", and its biases are zero" : string.Empty;
        return $"its weights have a deviation of {Phrases.Number(deviation)}, "
            + $"where {Phrases.Number(UsualDeviation)} is usual before training{zeros}";

        bool IsNear(double expected) => Math.Abs(deviation - expected) <= tolerance * expected;
    }
}
