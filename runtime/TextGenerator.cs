using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime.Generation;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime;

/// <summary>Continues texts with a decoder, as it is deployed, and its tokenizer.</summary>
/// <remarks>Any thread may use it; each text has a key/value cache of its own.</remarks>
public sealed class TextGenerator : IDisposable
{
    private readonly AdapterHost? _host;
    private readonly RefCounted<OpenModel>? _open;   // where there is no host
    private readonly InitialCache? _initial;
    private readonly DecoderPorts _ports;
    private readonly TextTokenizer _tokenizer;
    private readonly IReadOnlySet<int> _endTokens;
    private readonly int? _positions;
    private readonly TimeProvider _clock;
    private volatile bool _isDisposed;

    /// <summary>Opens a model and its tokenizer.</summary>
    /// <param name="engine">Device, threads, catalog and clock.</param>
    /// <param name="model">The decoder; configurations beside it say which tokens end a text and how long it may be.</param>
    /// <param name="options">The tokenizer, whose configurations are read too, and an adapter; null = the model's tokenizer, no
    /// adapter.</param>
    /// <exception cref="LortaException">LRT2xx, LRT3xx: no adapter of this model, or one that no side branches carry; LRT5xx: no such
    /// tokenizer; LRT612, LRT614, LRT620: no decoder.</exception>
    /// <exception cref="ArgumentException">The model is in no file, and no tokenizer is named.</exception>
    public TextGenerator(OrtEngine engine, OnnxModel model, TextGeneratorOptions? options = null)
        : this(engine, model, options ?? new(), host: null)
    {
    }

    /// <summary>Reads the tokenizer of a host's model, a decoder, whose adapters texts are written with.</summary>
    /// <param name="host">The host; it stays open when the generator is closed.</param>
    /// <param name="tokenizer">The tokenizer's folder; null = the model's.</param>
    /// <exception cref="LortaException">LRT5xx: no such tokenizer; LRT614, LRT620: no decoder.</exception>
    public TextGenerator(AdapterHost host, string? tokenizer = null)
        : this(host.Engine, host.Model, new() { Tokenizer = tokenizer }, host)
    {
    }

    private TextGenerator(OrtEngine engine, OnnxModel model, TextGeneratorOptions options, AdapterHost? host)
    {
        engine.ThrowIfDisposed();
        var beside = model.Path.Length > 0 ? Path.GetDirectoryName(Path.GetFullPath(model.Path)) : null;
        string[] folders = [.. new[] { beside, options.Tokenizer }.OfType<string>()];
        if (folders.Length == 0)
            throw new ArgumentException("A model in no file has no tokenizer beside it: name the tokenizer's folder.", nameof(model));
        _tokenizer = TextTokenizer.Load(folders[^1]);
        _ports = DecoderPorts.Of(model);
        _endTokens = DecoderConfig.Read(folders, _tokenizer.Special).EndTokens;
        _clock = engine.Options.Clock;
        _host = host;
        (var adapted, _initial) = host is null ? Adapted(engine, model, options) : (model, null);
        _positions = new[] { _ports.Positions, PositionLimit.Of(model, folders)?.Tokens }.Min() - (_initial?.Offset ?? 0);
        if (host is null) _open = new(() => new OpenModel(adapted, engine.Options));   // last: nothing after it fails
    }

    /// <summary>Continues a text.</summary>
    /// <param name="prompt">Its beginning; special tokens that the tokenizer puts before a text are added.</param>
    /// <param name="options">How far and how; null = 100 tokens, the most likely each time.</param>
    /// <param name="reader">Takes the text as it is generated.</param>
    /// <param name="stop">Ends it early; what was written by then is the result.</param>
    /// <exception cref="LortaException">LRT613, LRT624: the model fails; LRT618: there is no such adapter; LRT621 … LRT623: the prompt is
    /// empty, too long, or of another tokenizer; LRT626: senseless options.</exception>
    /// <exception cref="ObjectDisposedException">The generator or its host was closed.</exception>
    public GeneratedText Continue(
        string prompt, GenerationOptions? options = null, IProgress<string>? reader = null, CancellationToken stop = default)
    {
        GeneratedPiece? last = null;
        foreach (var piece in Stream(prompt, options, stop))
        {
            if (piece.Text.Length > 0) reader?.Report(piece.Text);
            last = piece;
        }
        return last!.Result!;
    }

    /// <summary>Continues a text piece by piece: each is written when it is asked for.</summary>
    /// <param name="prompt">As of <see cref="Continue"/>, and so are the others.</param>
    /// <param name="options">How far and how.</param>
    /// <param name="stop">Ends it early.</param>
    /// <returns>At least one piece; the last has the whole result.</returns>
    /// <exception cref="LortaException">As of <see cref="Continue"/>.</exception>
    public IEnumerable<GeneratedPiece> Stream(string prompt, GenerationOptions? options = null, CancellationToken stop = default)
    {
        options ??= new();
        options.Validate();
        Lease(options.Adapter).Dispose();   // what is wrong with the call is said at once
        return Pieces(Encode(prompt), options, stop);
    }

    /// <summary>Whether the tokenizer has a text as one token, such as a marker of a chat.</summary>
    public bool HasToken(string text) => _tokenizer.TokenOf(text) is not null;

    /// <summary>Closes the generator, but not the host.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _open?.Close();
    }

    // An adapter is side branches, or what the cache holds before the text.
    private static (OnnxModel Model, InitialCache? Initial) Adapted(OrtEngine engine, OnnxModel model, TextGeneratorOptions options)
    {
        if (options.Adapter is not { } adapter) return (model, null);
        var initial = engine.Catalog.TargetsOf(adapter.Config.Method) is { AreAttention: true }
            ? InitialCache.Of(UnderstoodModel.Of(model), adapter, options.AllowOtherBase, engine)
            : null;
        return initial is not null
            ? (model, initial)
            : (AdaptedModels.WithSideBranches(model, adapter, options.AllowOtherBase, engine.Catalog), null);
    }

    private AdapterLease Lease(string? adapter)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_host is not null) return _host.Lease(adapter);
        if (adapter is not null) throw RuntimeErrors.UnknownAdapter(adapter, []);
        ObjectDisposedException.ThrowIf(!_open!.TryAcquire(), this);
        return new AdapterLease(_open, adapter: null);
    }

    private IEnumerable<GeneratedPiece> Pieces(int[] prompt, GenerationOptions options, CancellationToken stop)
    {
        var begin = _clock.GetTimestamp();
        using var lease = Lease(options.Adapter);
        using var decoder = new Decoder(_ports, lease.Model, lease.Adapter, _initial);
        var (tokens, text) = (prompt.ToList(), new GrowingText(_tokenizer, prompt, options.StopTexts));
        var (ends, given) = (EndTokens(options), tokens.Count);
        IReadOnlyList<int> unread = prompt;
        GenerationEnd? end = null;
        do
        {
            if (Next(decoder, unread, (tokens.Count - prompt.Length, options.Sampling), stop) is not { } token)
            {
                end = GenerationEnd.Stopped;
                break;
            }
            if (ends.Contains(token))
            {
                end = GenerationEnd.EndToken;
                break;
            }
            tokens.Add(token);
            unread = [token];
            if (text.Grow(tokens) is { Length: > 0 } added)
            {
                yield return new GeneratedPiece(added, tokens[given..]);
                given = tokens.Count;
            }
            end = text.IsStopped ? GenerationEnd.StopText : EndAt(tokens.Count, prompt.Length + (long)options.MaxTokens, stop);
        }
        while (end is null);
        var (left, continuation, whole) = text.Finish(tokens);
        var seconds = _clock.GetElapsedTime(begin).TotalSeconds;
        yield return new(left, tokens[given..], new(prompt, tokens[prompt.Length..], continuation, whole, end.Value, seconds));
    }

    // The next token; null where the model was stopped while it computed.
    private static int? Next(
        Decoder decoder, IReadOnlyList<int> unread, (int Step, SamplingOptions Options) sampling, CancellationToken stop)
    {
        try
        {
            return TokenSampling.Choose(decoder.Read(unread), sampling.Step, sampling.Options);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }

    // Special tokens are no part of the decoded text, so one among the stop texts is looked for as a token.
    private HashSet<int> EndTokens(GenerationOptions options)
    {
        var single = options.StopTexts.Select(_tokenizer.TokenOf).OfType<int>();
        return [.. _endTokens, .. options.StopTokens, .. single.Where(_tokenizer.Special.All.Contains)];
    }

    // What a tokenizer puts behind a text would end it, and a text that begins with the first token itself (a chat) has it once.
    private int[] Encode(string prompt)
    {
        var encoded = _tokenizer.EncodeWithSpecialTokens(prompt);
        if (encoded.TextLength == 0) throw GenerationErrors.EmptyPrompt();
        var ids = encoded.Ids[..(encoded.TextStart + encoded.TextLength)];
        if (encoded.TextStart > 0 && ids[encoded.TextStart] == ids[0] && ids[0] == _tokenizer.Special.Bos) ids = ids[encoded.TextStart..];
        if (ids.Max() >= _ports.Vocabulary) throw GenerationErrors.OtherTokenizer(ids.Max(), _ports.Vocabulary.Value);
        return _positions is { } positions && ids.Length >= positions
            ? throw GenerationErrors.PromptTooLong(ids.Length, positions)
            : ids;
    }

    private GenerationEnd? EndAt(int length, long wanted, CancellationToken stop)
    {
        if (stop.IsCancellationRequested) return GenerationEnd.Stopped;
        if (length >= wanted) return GenerationEnd.MaxTokens;
        return length >= _positions ? GenerationEnd.Positions : null;
    }
}
