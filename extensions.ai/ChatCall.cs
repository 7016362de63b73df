using LoRTA.Onnx.Runtime;
using Microsoft.Extensions.AI;

namespace LoRTA.Onnx.Extensions.AI;

/// <summary>A call of a chat client in the words of a text generator.</summary>
internal sealed record ChatCall
{
    /// <summary>Reads a call.</summary>
    /// <param name="messages">The chat so far.</param>
    /// <param name="options">What the caller asks for.</param>
    /// <param name="format">How messages become text.</param>
    /// <exception cref="NotSupportedException">It asks for what a decoder of texts does not do.</exception>
    public ChatCall(IEnumerable<ChatMessage> messages, ChatOptions? options, ChatFormat format)
    {
        List<ChatMessage> all = [.. messages];
        if (all.SelectMany(message => message.Contents).FirstOrDefault(content => content is not TextContent) is { } other)
            throw new NotSupportedException($"A message holds {other.GetType().Name}; this client reads and writes text alone.");
        if (options?.Tools is { Count: > 0 })
            throw new NotSupportedException("The chat offers tools; this client calls none.");
        if (options?.ResponseFormat is not (null or ChatResponseFormatText))
            throw new NotSupportedException("The chat asks for JSON; this client writes text as the model writes it.");
        if (options is { FrequencyPenalty: not (null or 0) } or { PresencePenalty: not (null or 0) })
            throw new NotSupportedException("The chat asks for a penalty of repeated tokens; this client has temperature, TopK and TopP.");
        if (options?.Instructions is { Length: > 0 } instructions) all.Insert(0, new ChatMessage(ChatRole.System, instructions));
        Prompt = format.Write(all);
        Generation = OptionsOf(options, format);
    }

    public string Prompt { get; }

    public GenerationOptions Generation { get; }

    private static GenerationOptions OptionsOf(ChatOptions? options, ChatFormat format)
    {
        var defaults = new GenerationOptions();
        return defaults with
        {
            Adapter = options?.ModelId,
            MaxTokens = options?.MaxOutputTokens ?? defaults.MaxTokens,
            StopTexts = [.. format.StopTexts, .. options?.StopSequences ?? []],
            Sampling = new SamplingOptions
            {
                Temperature = options?.Temperature ?? defaults.Sampling.Temperature,
                TopK = options?.TopK,
                TopP = options?.TopP ?? defaults.Sampling.TopP,
                Seed = options?.Seed ?? defaults.Sampling.Seed,
            },
        };
    }
}
