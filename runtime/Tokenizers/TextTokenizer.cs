using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Text to ids and back, as the tokenizer in a Hugging Face folder does it: added tokens, normalization, splitting, pieces,
/// special tokens.</summary>
internal sealed class TextTokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokens _raw;
    private readonly AddedTokens _normalized;

    public TextTokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _raw = new AddedTokens(parts.Added.Where(token => !token.Normalized));
        _normalized = InTime(parts, () => new AddedTokens(
            [.. parts.Added.Where(token => token.Normalized).Select(token => token with { Content = parts.Normalize(token.Content) })]));
    }

    /// <summary>What its algorithm is called.</summary>
    public string Kind => _parts.IsByteLevel ? "byte-level BPE" : _parts.Model.Kind;

    /// <summary>The file that says most of it.</summary>
    public string File => _parts.Path;

    public SpecialTokens Special => _parts.Special;

    /// <summary>One more than the largest id.</summary>
    public int VocabularySize => _parts.Vocabulary.Size;

    /// <summary>Special tokens that stand around one text, or around a pair.</summary>
    public int SpecialTokensAround(bool pair) => SequenceTemplate.SpecialTokens(pair ? _parts.Template.Pair : _parts.Template.Single);

    /// <summary>What fills rows up: the pad token, else the end of sequence, else 0.</summary>
    public int Filler => Special.Pad ?? Special.Eos ?? 0;

    /// <summary>Reads the tokenizer of a Hugging Face folder.</summary>
    /// <exception cref="LortaException">LRT101 no such folder; LRT501 no tokenizer in it; LRT502 damaged; LRT503 not supported.</exception>
    public static TextTokenizer Load(string folder) => new(TokenizerFolder.Read(folder));

    /// <summary>The ids of <paramref name="text"/> without special tokens around it; those written in the text are found.</summary>
    /// <exception cref="LortaException">LRT517: a pattern of the tokenizer takes too long.</exception>
    public int[] Encode(string text) => InTime(_parts, () =>
    {
        StopRequest.ThrowIfAny();   // a corpus is millions of these
        var (ids, atStart) = (new List<int>(), true);
        foreach (var (stretch, token) in _raw.Split(text))
        {
            if (token is null) EncodeStretch(stretch, atStart, ids);
            else ids.Add(token.Id);
            atStart = false;
        }
        return ids.ToArray();
    });

    /// <summary>The ids of one text, or of a pair, with the special tokens of the model and at most <paramref name="maxLength"/> in
    /// all.</summary>
    /// <remarks>An empty second text counts as none, as in Hugging Face's call.</remarks>
    public EncodedText EncodeWithSpecialTokens(string text, string? pair = null, int maxLength = int.MaxValue) =>
        Wrap(Encode(text), string.IsNullOrEmpty(pair) ? null : Encode(pair), maxLength);

    /// <summary>The same for ids.</summary>
    public EncodedText Wrap(int[] first, int[]? second = null, int maxLength = int.MaxValue) =>
        _parts.Template.Wrap(first, second, maxLength);

    /// <summary>The token that a text is, as a whole; null where it is several, or is not known and has the token that stands for
    /// all such.</summary>
    public int? TokenOf(string text) =>
        Encode(text) is [var id] && (id != Special.Unk || _parts.Vocabulary.Piece(id) == text) ? id : null;

    /// <summary>The ids of a word inside a text that was parted into words already.</summary>
    public int[] EncodeWord(string word, bool first) => Encode(_parts.IsByteLevel && !first ? " " + word : word);

    /// <summary>The text of <paramref name="ids"/>; special tokens are left out.</summary>
    public string Decode(IEnumerable<int> ids) =>
        _parts.Decode([.. ids.Where(id => !Special.All.Contains(id)).Select(id => _parts.Vocabulary.Piece(id)).OfType<string>()]);

    private static T InTime<T>(TokenizerParts parts, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (RegexMatchTimeoutException e)
        {
            throw TokenizerErrors.PatternTooSlow(parts.Path, e);
        }
    }

    private void EncodeStretch(string stretch, bool atStart, List<int> ids)
    {
        foreach (var (text, token) in _normalized.Split(_parts.Normalize(stretch)))
        {
            if (token is not null) ids.Add(token.Id);
            else foreach (var word in _parts.Split(text, atStart)) _parts.Model.Encode(word, ids);
            atStart = false;
        }
    }
}

/// <summary>Splits normalized text into the words that the model sees; <paramref name="atStart"/> tells whether the text begins
/// here.</summary>
internal delegate IEnumerable<string> Splitter(string text, bool atStart);

/// <summary>What a tokenizer is made of.</summary>
internal sealed record TokenizerParts
{
    /// <summary>The file that says most.</summary>
    public required string Path { get; init; }

    public required Vocabulary Vocabulary { get; init; }

    public required ISubwordModel Model { get; init; }

    public required Func<IReadOnlyList<string>, string> Decode { get; init; }

    public Func<string, string> Normalize { get; init; } = text => text;

    public Splitter Split { get; init; } = (text, _) => [text];

    public IReadOnlyList<AddedToken> Added { get; init; } = [];

    public SpecialTokens Special { get; init; } = new();

    public SequenceTemplate Template { get; init; } = SequenceTemplate.Bare;

    /// <summary>Whether a word inside a text starts with its space (byte-level BPE).</summary>
    public bool IsByteLevel { get; init; }
}
