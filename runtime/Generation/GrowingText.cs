using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>How a text goes on while its tokens come. All of it is decoded each time: a token may hold a part of a character, and the first
/// piece of a text loses its space.</summary>
internal sealed class GrowingText
{
    private const char Unfinished = '\uFFFD';
    private readonly TextTokenizer _tokenizer;
    private readonly IReadOnlyList<string> _stops;
    private readonly int _start;
    private int _given;

    /// <summary>Starts a text.</summary>
    /// <param name="tokenizer">Decodes.</param>
    /// <param name="prompt">Tokens that are there already.</param>
    /// <param name="stops">Texts that end the text and are no part of it.</param>
    public GrowingText(TextTokenizer tokenizer, IReadOnlyList<int> prompt, params IReadOnlyList<string> stops)
    {
        (_tokenizer, _stops) = (tokenizer, stops);
        _start = _given = tokenizer.Decode(prompt).Length;
    }

    /// <summary>Whether a stop text came.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>What is added for certain: bytes at the end that are no character yet wait for their rest, and what may be the beginning of
    /// a stop text waits for what follows.</summary>
    public string Grow(IReadOnlyList<int> tokens)
    {
        var text = Cut(_tokenizer.Decode(tokens).TrimEnd(Unfinished));
        return Give(text, IsStopped ? text.Length : text.Length - PendingStop(text));
    }

    /// <summary>What is left, and the whole text.</summary>
    public (string Left, string Added, string Whole) Finish(IReadOnlyList<int> tokens)
    {
        var text = Cut(_tokenizer.Decode(tokens));
        return (Give(text, text.Length), text[_start..], text);
    }

    private string Give(string text, int end)
    {
        if (end <= _given) return string.Empty;
        var added = text[_given..end];
        _given = end;
        return added;
    }

    // Up to the first stop text.
    private string Cut(string text)
    {
        if (text.Length < _start) return text;
        var places = _stops.Select(stop => text.IndexOf(stop, _start, StringComparison.Ordinal)).Where(place => place >= 0).ToList();
        IsStopped = places.Count > 0;
        return IsStopped ? text[..places.Min()] : text;
    }

    // Length of the longest end of the text that a stop text begins with.
    private int PendingStop(string text)
    {
        var longest = 0;
        foreach (var stop in _stops)
            for (var length = Math.Min(stop.Length, text.Length - _start); length > longest; length--)
                if (text.AsSpan().EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal)) longest = length;
        return longest;
    }
}
