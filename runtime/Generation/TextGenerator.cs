using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>Continues texts with a decoder, as it is deployed, and its tokenizer.</summary>
internal sealed class TextGenerator : IDisposable
{
    private readonly TextTokenizer _tokenizer;
    private readonly DecoderConfig _config;
    private readonly Decoder _decoder;
    private readonly int? _positions;
    private readonly TimeProvider _clock;

    /// <summary>Opens a model and its tokenizer.</summary>
    /// <param name="model">The decoder; configurations beside it say which tokens end a text and how long it may be.</param>
    /// <param name="tokenizer">The folder of the tokenizer, whose configurations are read too; null = the model's.</param>
    /// <param name="settings">Device and threads.</param>
    /// <param name="clock">Measures speed.</param>
    /// <param name="initial">What the decoder's cache holds before a text is read; null = nothing.</param>
    /// <exception cref="LortaException">LRT5xx: no such tokenizer; LRT612, LRT614, LRT620: no decoder.</exception>
    public TextGenerator(OnnxModel model, string? tokenizer, OrtEngineOptions settings, TimeProvider clock, InitialCache? initial = null)
    {
        var beside = Path.GetDirectoryName(Path.GetFullPath(model.Path))!;
        _tokenizer = TextTokenizer.Load(tokenizer ?? beside);
        _decoder = new Decoder(model, settings, initial);
        IReadOnlyList<string> folders = tokenizer is null ? [beside] : [beside, tokenizer];
        _config = DecoderConfig.Read(folders, _tokenizer.Special);
        _positions = new[] { _decoder.Positions, PositionLimit.Of(model, folders)?.Tokens }.Min() - (initial?.Offset ?? 0);
        _clock = clock;
    }

    /// <summary>Continues a text.</summary>
    /// <param name="prompt">Its beginning; special tokens that the tokenizer puts before a text are added.</param>
    /// <param name="options">How far and how.</param>
    /// <param name="reader">Takes the text as it is generated.</param>
    /// <param name="stop">Ends it early.</param>
    /// <exception cref="LortaException">LRT621 … LRT623: the prompt is empty, too long, or of another tokenizer; LRT613, LRT624: the model
    /// fails.</exception>
    public GeneratedText Continue(
        string prompt, GenerationOptions options, IProgress<string>? reader = null, CancellationToken stop = default)
    {
        var begin = _clock.GetTimestamp();
        var prompted = Encode(prompt);
        var (tokens, text) = (prompted.ToList(), new GrowingText(_tokenizer, prompted, reader));
        _decoder.Restart();
        IReadOnlyList<int> unread = prompted;
        GenerationEnd? end = null;
        do
        {
            var token = TokenSampling.Choose(_decoder.Read(unread), tokens.Count - prompted.Length, options.Sampling);
            if (_config.EndTokens.Contains(token))
            {
                end = GenerationEnd.EndToken;
                break;
            }
            tokens.Add(token);
            text.Grow(tokens);
            unread = [token];
            end = EndAt(tokens.Count, prompted.Length + options.MaxTokens, stop);
        }
        while (end is null);
        var (whole, added) = text.Finish(tokens);
        return new GeneratedText(prompted, tokens[prompted.Length..], added, whole, end.Value, _clock.GetElapsedTime(begin).TotalSeconds);
    }

    public void Dispose() => _decoder.Dispose();

    // What a tokenizer puts behind a text would end it, and a text that begins with the first token itself (a chat) has it once.
    private int[] Encode(string prompt)
    {
        var encoded = _tokenizer.EncodeWithSpecialTokens(prompt);
        if (encoded.TextLength == 0) throw GenerationErrors.EmptyPrompt();
        var ids = encoded.Ids[..(encoded.TextStart + encoded.TextLength)];
        if (encoded.TextStart > 0 && ids[encoded.TextStart] == ids[0] && ids[0] == _tokenizer.Special.Bos) ids = ids[encoded.TextStart..];
        if (ids.Max() >= _decoder.Vocabulary) throw GenerationErrors.OtherTokenizer(ids.Max(), _decoder.Vocabulary.Value);
        return _positions is { } positions && ids.Length >= positions
            ? throw GenerationErrors.PromptTooLong(ids.Length, positions)
            : ids;
    }

    private GenerationEnd? EndAt(int length, int wanted, CancellationToken stop)
    {
        if (stop.IsCancellationRequested) return GenerationEnd.Stopped;
        if (length >= wanted) return GenerationEnd.MaxTokens;
        return length >= _positions ? GenerationEnd.Positions : null;
    }
}
