using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>What goes into a decoder and what comes out, as its graph declares it.</summary>
/// <param name="Text">Inputs that follow from the text: ids, mask, positions.</param>
/// <param name="Cache">Inputs and outputs of the key/value cache; none in a model that reads the whole text each time.</param>
/// <param name="Logits">The output that predicts the next token, [batch, sequence, vocabulary].</param>
internal sealed record DecoderPorts(IReadOnlyList<Value> Text, IReadOnlyList<CachePort> Cache, Value Logits)
{
    /// <summary>Sizes that the export fixes.</summary>
    public required FixedSizes Sizes { get; init; }

    /// <summary>Number of tokens that it predicts; null where the graph does not state it.</summary>
    public long? Vocabulary => Logits.Shape![2].Value;

    /// <summary>Most tokens that it reads where the export fixes the length; null = it fixes none.</summary>
    public int? Positions => Cache.Count > 0 ? null : Sizes.Length;

    private static readonly string[] TextNames = [TextInputs.Ids, TextInputs.Mask, TextInputs.Positions, TextInputs.Types];

    /// <summary>Reads the ports of a model.</summary>
    /// <exception cref="LortaException">LRT614: an input that nothing is known of; LRT620: no decoder.</exception>
    public static DecoderPorts Of(OnnxModel model)
    {
        var logits = model.Graph.Outputs.FirstOrDefault(output =>
            output is { Name: "logits", Type: ElementType.Float or ElementType.Float16, Shape.Rank: 3 })
            ?? throw GenerationErrors.NotADecoder(model.Path, "it has no output 'logits' of [batch, sequence, vocabulary]");
        var inputs = TextInputs.Fed(model.Graph).ToList();
        var text = inputs.Where(input => TextNames.Contains(input.Name)).ToList();
        if (text.All(input => input.Name != TextInputs.Ids)) throw GenerationErrors.NotADecoder(model.Path, "it has no input 'input_ids'");
        if (text.FirstOrDefault(input => input is { Name: TextInputs.Ids, Type: not (ElementType.Int64 or ElementType.Int32) }) is { } odd)
            throw GenerationErrors.NotADecoder(model.Path, $"its input '{odd.Name}' is {odd.Type.Display()}");
        var (caches, sizes) = (new TextInputs(model), FixedSizes.Of(model.Graph));
        var cache = inputs.Except(text).Select(past => CachePort.Of(model, caches, past)).ToList();
        if (cache.Count > 0 && (sizes.Length > 1 || sizes.Rows > 1))
            throw GenerationErrors.NotADecoder(model.Path, $"it fixes the size of its inputs ({text[0].Shape}) and has a cache");
        return new DecoderPorts(text, cache, logits) { Sizes = sizes };
    }
}

/// <summary>One tensor of a key/value cache.</summary>
/// <param name="Past">Name of the input that takes what was read before.</param>
/// <param name="Present">Name of the output that adds what is read now.</param>
/// <param name="Empty">What goes in before anything was read: [1, heads, 0, head width].</param>
internal sealed record CachePort(string Past, string Present, OnnxTensor Empty)
{
    /// <summary>Reads the port of an input; sizes that it does not state follow from the rest of the graph.</summary>
    /// <param name="model">The model.</param>
    /// <param name="caches">Its empty caches.</param>
    /// <param name="past">The input.</param>
    public static CachePort Of(OnnxModel model, TextInputs caches, Value past)
    {
        if (!TextInputs.IsCache(past.Type, past.Shape?.Rank) || TextInputs.PresentNamedAs(model, past) is not { } present)
            throw RuntimeErrors.MissingInput(past.Name);
        return caches.EmptyCache(past, rows: 1) is { } empty
            ? new CachePort(past.Name, present.Name, empty)
            : throw GenerationErrors.NotADecoder(
                model.Path, $"heads and head width of its cache '{past.Name}' are not stated: {past.Shape}");
    }
}
