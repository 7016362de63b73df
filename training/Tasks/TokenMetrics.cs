using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Share of right tokens, and of language models the perplexity.</summary>
/// <param name="shift">1 where logits[t] are compared with labels[t + 1] of the same row, else 0.</param>
/// <param name="isLanguage">Whether the exponential of the loss is a perplexity.</param>
internal sealed class TokenMetrics(int shift, bool isLanguage) : IMetrics
{
    private readonly WeightedMean _tokens = new();

    /// <summary>Adds rows of tokens. A vocabulary is wide: logits are read in place, one token at a time.</summary>
    /// <param name="logits">[rows, tokens, classes], or int64 [rows, tokens], the likeliest class of each.</param>
    /// <param name="labels">int64 [rows, tokens].</param>
    public void Add(OnnxTensor logits, OnnxTensor labels)
    {
        var length = labels.Dims[^1];
        var classes = (int)logits.Dims[^1];
        var ids = labels.ToLongs();
        var predicted = logits.Type == ElementType.Int64 ? logits.ToLongs() : null;
        long correct = 0, count = 0;
        for (long token = 0; token < ids.Length; token++)
        {
            if ((token % length) + shift >= length || ids[token + shift] == TaskLosses.Ignored) continue;
            count++;
            if ((predicted?[token] ?? IndexOfMax(logits, token, classes)) == ids[token + shift]) correct++;
        }
        if (count > 0) _tokens.Add((double)correct / count, count);
    }

    public IEnumerable<Metric> Values(double loss)
    {
        if (isLanguage) yield return new("perplexity", Math.Exp(loss), IsHigherBetter: false);
        yield return new("tokenAccuracy", _tokens.Value);
    }

    private static int IndexOfMax(OnnxTensor logits, long row, int width) =>
        TensorPrimitives.IndexOfMax(MemoryMarshal.Cast<byte, float>(logits.Slice(row * width * sizeof(float), width * sizeof(float))));
}
