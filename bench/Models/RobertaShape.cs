using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Bench.Models;

/// <summary>An encoder in the shape of RoBERTa base with fewer layers; every variant of a step is built from it.</summary>
/// <remarks>
/// Post-layer-norm blocks, gelu, learned positions, pooler (dense, tanh) on the first token, no padding. The vocabulary (50,265 in RoBERTa)
/// costs memory, no time: a step reads batch × length of its rows.
/// </remarks>
internal sealed record RobertaShape(
    int Layers = 4,
    int Hidden = 768,
    int Heads = 12,
    int Ffn = 3072,
    int Batch = 8,
    int Length = 128,
    int Vocabulary = 5000,
    int Labels = 2,
    int Rank = 8)
{
    public int HeadSize => Hidden / Heads;

    /// <summary>Factor on B·A: alpha / rank with alpha = 16.</summary>
    public float LoraScale => 16f / Rank;

    /// <summary>Normal values that depend on the name alone, so that all variants share weights without sharing code.</summary>
    public static float[] Normal(string name, int count, double deviation = 0.02)
    {
        var random = new SeededRandom(0, name);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)(random.NextNormal() * deviation);
        return values;
    }

    /// <summary>Token ids of the one batch, [Batch, Length].</summary>
    public long[] Tokens() => Indices("tokens", Batch * Length, Vocabulary);

    /// <summary>Labels of the one batch, [Batch].</summary>
    public long[] Targets() => Indices("labels", Batch, Labels);

    private static long[] Indices(string name, int count, int limit)
    {
        var random = new SeededRandom(0, name);
        var values = new long[count];
        for (var i = 0; i < count; i++) values[i] = random.NextIndex(limit);
        return values;
    }
}
