using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using Microsoft.Extensions.AI;

namespace LoRTA.Onnx.Extensions.AI;

/// <summary>Decoders and their adapters as chat clients.</summary>
public static class ChatClients
{
    /// <summary>Chats with a host's model: <see cref="ChatOptions.ModelId"/> names the adapter; null = the base model.</summary>
    /// <param name="host">The host of a decoder; it stays open when the client is disposed of.</param>
    /// <param name="tokenizer">The tokenizer's folder; null = the model's.</param>
    /// <param name="format">How messages become text; null = what fits the tokenizer (<see cref="ChatFormat.Of"/>).</param>
    /// <exception cref="LortaException">LRT5xx: no such tokenizer; LRT614, LRT620: no decoder.</exception>
    public static IChatClient AsChatClient(this AdapterHost host, string? tokenizer = null, ChatFormat? format = null) =>
        new DecoderChatClient(host, tokenizer, format);

    /// <summary>Chats with what continues texts.</summary>
    /// <param name="generator">The generator; it stays open when the client is disposed of.</param>
    /// <param name="format">How messages become text; null = what fits the tokenizer (<see cref="ChatFormat.Of"/>).</param>
    public static IChatClient AsChatClient(this TextGenerator generator, ChatFormat? format = null) =>
        new DecoderChatClient(generator, format);
}
