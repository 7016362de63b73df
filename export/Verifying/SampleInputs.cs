using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Verifying;

/// <summary>Seeded random inputs for a model: token ids below the vocabulary, a mask with two padded rows, positions, empty caches,
/// features of known width.</summary>
/// <param name="model">The model.</param>
/// <param name="samples">Rows; a batch size that the model fixes goes before.</param>
/// <param name="length">Their length; one that the model fixes goes before.</param>
/// <param name="seed">Seed.</param>
internal sealed class SampleInputs(OnnxModel model, int samples, int length, long seed)
{
    private readonly int _rows = FixedSizes.Of(model.Graph).Rows ?? samples;
    private readonly int _length = FixedSizes.Of(model.Graph).Length ?? length;
    private readonly TextInputs _inputs = new(model);

    /// <summary>Makes a tensor for every input of the model that has no default.</summary>
    /// <param name="given">Inputs that are not drawn, by name; null = none.</param>
    /// <exception cref="LortaException">LRT704: an input that nothing is known of.</exception>
    public IReadOnlyDictionary<string, OnnxTensor> Make(IReadOnlyDictionary<string, OnnxTensor>? given = null)
    {
        var mask = Mask();
        return TextInputs.Fed(model.Graph).ToDictionary(
            input => input.Name, input => given?.GetValueOrDefault(input.Name) ?? For(input, mask), StringComparer.Ordinal);
    }

    private OnnxTensor For(Value input, long[] mask) => _inputs.RoleOf(input) switch
    {
        TextRole.Ids => Integers(input, Tokens(mask.Length, TokenEmbedding.Rows(input) ?? TokenEmbedding.Vocabulary(model) ?? 2,
            TextInputs.RoleOf(input.Name) == TextRole.Ids ? TextInputs.Ids : input.Name)),
        TextRole.Mask => Integers(input, mask),
        TextRole.Types => Integers(input, new long[mask.Length]),
        TextRole.Positions => Integers(input, Positions(mask, _length)),
        TextRole.Cache when input.Shape![2].Value is null or 0 && _inputs.EmptyCache(input, _rows) is { } empty => empty,
        _ when TensorName.Parse(input.Name).Kind == TensorKind.Factor => throw VerificationErrors.UnknownInput(model.Path, input.Name),
        _ => Features(input) ?? throw VerificationErrors.UnknownInput(model.Path, input.Name),
    };

    // Pixels, embeddings, spectra: numbers around 0 where all sizes but those of the batch are known.
    private OnnxTensor? Features(Value input)
    {
        if (input.Shape is not { Rank: >= 2 } shape || !input.Type.IsFloat() || shape[-1].Value is null) return null;
        var dims = shape.Select((dim, axis) => dim.Value ?? (axis == 0 ? _rows : axis == 1 && shape.Rank == 3 ? _length : (long?)null))
            .ToList();
        if (dims.Any(dim => dim is null)) return null;
        var random = new SeededRandom(seed, $"verify/{input.Name}");
        var values = new float[dims.Select(dim => dim!.Value).Size()];
        for (var i = 0; i < values.Length; i++) values[i] = (float)random.NextNormal();
        return OnnxTensor.FromBytes(input.Type, [.. dims.Select(dim => dim!.Value)], WeightView.Round(values, input.Type));
    }

    // The last two rows end in padding: a quarter and a half of their length.
    private long[] Mask()
    {
        var mask = Enumerable.Repeat(1L, _rows * _length).ToArray();
        if (_rows > 1) mask.AsSpan((_rows * _length) - (_length / 2)).Clear();
        if (_rows > 2) mask.AsSpan(((_rows - 1) * _length) - (_length / 4), _length / 4).Clear();
        return mask;
    }

    private long[] Tokens(int count, int vocabulary, string name) =>
        new SeededRandom(seed, $"verify/{name}").NextIndices(count, vocabulary);

    private static long[] Positions(long[] mask, int length) =>
        [.. Enumerable.Range(0, mask.Length)
            .Select(i => Math.Max(0, mask.AsSpan(i / length * length, (i % length) + 1).ToArray().Sum() - 1))];

    private OnnxTensor Integers(Value input, long[] values) =>
        InputTypes.Converted(input.Name, OnnxTensor.Of<long>([_rows, _length], values), input.Type);
}
