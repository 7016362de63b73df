using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>Reports how a text goes on while its tokens come. All of it is decoded each time: a token may hold a part of a character, and
/// the first piece of a text loses its space.</summary>
internal sealed class GrowingText
{
    private const char Unfinished = '\uFFFD';
    private readonly TextTokenizer _tokenizer;
    private readonly IProgress<string>? _reader;
    private readonly int _start;
    private int _reported;

    /// <summary>Starts a text.</summary>
    /// <param name="tokenizer">Decodes.</param>
    /// <param name="prompt">Tokens that are there already.</param>
    /// <param name="reader">Takes what is added, piece by piece.</param>
    public GrowingText(TextTokenizer tokenizer, IReadOnlyList<int> prompt, IProgress<string>? reader)
    {
        (_tokenizer, _reader) = (tokenizer, reader);
        _start = _reported = tokenizer.Decode(prompt).Length;
    }

    /// <summary>Reports what is certain by now: bytes at the end that are no character yet wait for their rest.</summary>
    public void Grow(IReadOnlyList<int> tokens)
    {
        if (_reader is not null) Report(_tokenizer.Decode(tokens).TrimEnd(Unfinished));
    }

    /// <summary>Reports what is left.</summary>
    /// <returns>The whole text, and what was added to the prompt.</returns>
    public (string Whole, string Added) Finish(IReadOnlyList<int> tokens)
    {
        var text = _tokenizer.Decode(tokens);
        Report(text);
        return (text, text[_start..]);
    }

    private void Report(string text)
    {
        if (text.Length <= _reported) return;
        _reader?.Report(text[_reported..]);
        _reported = text.Length;
    }
}
