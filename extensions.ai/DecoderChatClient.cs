using System.Runtime.CompilerServices;
using LoRTA.Onnx.Runtime;
using Microsoft.Extensions.AI;

namespace LoRTA.Onnx.Extensions.AI;

/// <summary>Answers chats with a decoder. Any thread may use it.</summary>
internal sealed class DecoderChatClient : IChatClient
{
    private static readonly ChatClientMetadata Metadata = new("lorta");
    private readonly TextGenerator _generator;
    private readonly bool _ownsGenerator;
    private readonly ChatFormat _format;

    /// <summary>Answers with a generator, which stays open.</summary>
    /// <param name="generator">Writes the answers.</param>
    /// <param name="format">How messages become text; null = what fits the tokenizer.</param>
    public DecoderChatClient(TextGenerator generator, ChatFormat? format)
    {
        _generator = generator;
        _format = format ?? ChatFormat.Of(generator);
    }

    /// <summary>Answers with the adapters of a host, which stays open.</summary>
    /// <param name="host">The host.</param>
    /// <param name="tokenizer">The tokenizer's folder; null = the model's.</param>
    /// <param name="format">How messages become text; null = what fits the tokenizer.</param>
    public DecoderChatClient(AdapterHost host, string? tokenizer, ChatFormat? format)
    {
        _generator = new TextGenerator(host, tokenizer);
        _ownsGenerator = true;
        _format = format ?? ChatFormat.Of(_generator);
    }

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = new ChatCall(messages, options, _format);
        var text = await Task.Run(
            () => _generator.Continue(call.Prompt, call.Generation, stop: cancellationToken), cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, text.Text))
        {
            ModelId = call.Generation.Adapter,
            FinishReason = ReasonOf(text.End),
            Usage = UsageOf(text),
        };
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var call = new ChatCall(messages, options, _format);
        using var pieces = _generator.Stream(call.Prompt, call.Generation, cancellationToken).GetEnumerator();
        while (await Task.Run(pieces.MoveNext, cancellationToken).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return UpdateOf(pieces.Current, call.Generation.Adapter);
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceKey is not null) return null;
        if (serviceType == typeof(ChatClientMetadata)) return Metadata;
        if (serviceType == typeof(TextGenerator)) return _generator;
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose()
    {
        if (_ownsGenerator) _generator.Dispose();
    }

    private static ChatResponseUpdate UpdateOf(GeneratedPiece piece, string? adapter)
    {
        var update = new ChatResponseUpdate(ChatRole.Assistant, piece.Text) { ModelId = adapter };
        if (piece.Result is not { } result) return update;
        update.FinishReason = ReasonOf(result.End);
        update.Contents.Add(new UsageContent(UsageOf(result)));
        return update;
    }

    private static ChatFinishReason ReasonOf(GenerationEnd end) =>
        end is GenerationEnd.EndToken or GenerationEnd.StopText ? ChatFinishReason.Stop : ChatFinishReason.Length;

    private static UsageDetails UsageOf(GeneratedText text) => new()
    {
        InputTokenCount = text.Prompt.Count,
        OutputTokenCount = text.Ids.Count,
        TotalTokenCount = text.Prompt.Count + text.Ids.Count,
    };
}
