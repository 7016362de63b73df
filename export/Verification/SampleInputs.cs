using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Export.Verification;

/// <summary>Seeded random inputs for any model of text: token ids below the vocabulary, a mask with two padded rows, positions, empty caches.</summary>
internal static class SampleInputs
{
    /// <summary>Makes a tensor for every input of the model that has no default.</summary>
    /// <exception cref="LortaException">LRT704: an input that nothing is known of.</exception>
    public static IReadOnlyDictionary<string, Tensor> For(Model model, int samples, int length, long seed)
    {
        var (mask, caches) = (Mask(samples, length), new EmptyCache(model));
        return model.Graph.Inputs.Where(input => input.Constant is null).ToDictionary(input => input.Name, input => For(model, input, mask, caches, (samples, length), seed), StringComparer.Ordinal);
    }

    private static Tensor For(Model model, Value input, long[] mask, EmptyCache caches, (int Samples, int Length) size, long seed)
    {
        long[] dims = [size.Samples, size.Length];
        return input.Name switch
        {
            "input_ids" or "decoder_input_ids" => Integers(input, dims, Tokens(mask.Length, TokenEmbedding.Vocabulary(model) ?? 2, seed)),
            "attention_mask" or "decoder_attention_mask" => Integers(input, dims, mask),
            "token_type_ids" => Integers(input, dims, new long[mask.Length]),
            "position_ids" => Integers(input, dims, Positions(mask, size.Length)),
            _ when EmptyCache.Is(input) && caches.For(input, size.Samples) is { } empty => empty,
            _ => throw VerificationErrors.UnknownInput(model.Path, input.Name),
        };
    }

    // The last two rows end in padding: a quarter and a half of their length.
    private static long[] Mask(int samples, int length)
    {
        var mask = Enumerable.Repeat(1L, samples * length).ToArray();
        if (samples > 1) mask.AsSpan((samples * length) - (length / 2)).Clear();
        if (samples > 2) mask.AsSpan(((samples - 1) * length) - (length / 4), length / 4).Clear();
        return mask;
    }

    private static long[] Tokens(int count, int vocabulary, long seed)
    {
        var random = new SeededRandom(seed, "verify/input_ids");
        return [.. Enumerable.Range(0, count).Select(_ => (long)random.NextIndex(vocabulary))];
    }

    private static long[] Positions(long[] mask, int length) =>
        [.. Enumerable.Range(0, mask.Length).Select(i => Math.Max(0, mask.AsSpan(i / length * length, (i % length) + 1).ToArray().Sum() - 1))];

    private static Tensor Integers(Value input, long[] dims, long[] values) =>
        input.Type == ElementType.Int32 ? Tensor.Of<int>(dims, Array.ConvertAll(values, value => (int)value)) : Tensor.Of<long>(dims, values);
}
