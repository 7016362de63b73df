using System.Globalization;
using System.Text;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Cuts text at added tokens: the leftmost match wins, among those of one place the longest, then special tokens.</summary>
internal sealed class AddedTokens
{
    private readonly ILookup<char, AddedToken> _byFirst;

    public AddedTokens(IEnumerable<AddedToken> tokens) => _byFirst = tokens
        .Where(token => token.Content.Length > 0)
        .OrderByDescending(token => token.Content.Length)
        .ThenByDescending(token => token.Special)
        .ToLookup(token => token.Content[0]);

    /// <summary>The stretches of <paramref name="text"/> in order; a null token is plain text, which is never empty.</summary>
    public IEnumerable<(string Text, AddedToken? Token)> Split(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length;)
        {
            if (Match(text, at) is not { } token)
            {
                at++;
                continue;
            }
            var (from, end) = (at, at + token.Content.Length);
            at = end;   // also where it is no word: nothing else is looked for inside it
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, from)) || StartsWithWord(text.AsSpan(end)))) continue;
            if (token.LeftStrip) while (from > start && char.IsWhiteSpace(text[from - 1])) from--;
            if (token.RightStrip) while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (from > start) yield return (text[start..from], null);
            yield return (text[from..end], token);
            start = at = end;
        }
        if (start < text.Length) yield return (text[start..], null);
    }

    private AddedToken? Match(string text, int at) =>
        _byFirst[text[at]].FirstOrDefault(token => string.CompareOrdinal(text, at, token.Content, 0, token.Content.Length) == 0);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        !text.IsEmpty && Rune.DecodeFromUtf16(text, out var rune, out _) == System.Buffers.OperationStatus.Done && IsOfWord(rune);

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        !text.IsEmpty && Rune.DecodeLastFromUtf16(text, out var rune, out _) == System.Buffers.OperationStatus.Done && IsOfWord(rune);

    // The characters of \w in Unicode's regular expressions (UTS 18, annex C).
    private static bool IsOfWord(Rune rune) => Rune.IsLetter(rune) || rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}

/// <summary>A token that is found in the text itself, before any splitting.</summary>
/// <param name="Content">The text that stands for it.</param>
/// <param name="Id">Its id.</param>
internal sealed record AddedToken(string Content, int Id)
{
    /// <summary>Also swallows white space before it (RoBERTa's mask).</summary>
    public bool LeftStrip { get; init; }

    /// <summary>Also swallows white space behind it.</summary>
    public bool RightStrip { get; init; }

    /// <summary>Only found between characters that are not part of a word.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Its normalized content is looked for in the normalized text; otherwise its content as it is in the given text, before
    /// that.</summary>
    public bool Normalized { get; init; }

    public bool Special { get; init; }
}
