using System.Globalization;
using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>Chooses the next token: argmax z at temperature 0, else a draw from softmax(z / temperature) over the candidates that top-k,
/// then top-p leave.</summary>
/// <remarks>A draw is a function of (seed, step).</remarks>
internal static class TokenSampling
{
    /// <summary>The token of a step.</summary>
    /// <param name="logits">z, one per token of the vocabulary.</param>
    /// <param name="step">How many tokens were written before.</param>
    /// <param name="options">How to choose.</param>
    /// <exception cref="LortaException">LRT624: the logits are no numbers.</exception>
    public static int Choose(ReadOnlySpan<float> logits, int step, SamplingOptions options)
    {
        var likeliest = TensorPrimitives.IndexOfMax(logits);
        if (!float.IsFinite(logits[likeliest])) throw GenerationErrors.NotFinite(step, logits[likeliest]);
        return options.Temperature > 0 ? Draw(Candidates(logits, options), step, options.Seed) : likeliest;
    }

    // Likeliest first, equal ones by id, with weights exp((z − max z) / temperature).
    private static List<(int Token, double Weight)> Candidates(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        var (largest, weights) = (TensorPrimitives.Max(logits), new double[logits.Length]);
        for (var i = 0; i < weights.Length; i++) weights[i] = Math.Exp(((double)logits[i] - largest) / options.Temperature);
        var sorted = weights.Select((weight, token) => (Token: token, Weight: weight))
            .OrderByDescending(candidate => candidate.Weight)
            .Take(options.TopK ?? weights.Length)
            .ToList();
        var enough = options.TopP * sorted.Sum(candidate => candidate.Weight);
        var sum = 0.0;
        var count = 0;
        while (count < sorted.Count && sum < enough) sum += sorted[count++].Weight;
        return sorted[..count];
    }

    private static int Draw(List<(int Token, double Weight)> candidates, int step, long seed)
    {
        var random = new SeededRandom(seed, string.Create(CultureInfo.InvariantCulture, $"generate/{step}"));
        var left = random.NextUniform() * candidates.Sum(candidate => candidate.Weight);
        foreach (var (token, weight) in candidates)
        {
            left -= weight;
            if (left < 0) return token;
        }
        return candidates[^1].Token;
    }
}
