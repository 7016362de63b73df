using System.Globalization;

namespace LoRTA.Onnx.Training.Data.Tokenizers;

/// <summary>Cuts text at added tokens: the leftmost match wins, among those of one place the longest.</summary>
internal sealed class AddedTokens
{
    private readonly ILookup<char, AddedToken> _byFirst;

    public AddedTokens(IEnumerable<AddedToken> tokens) =>
        _byFirst = tokens.Where(token => token.Content.Length > 0).OrderByDescending(token => token.Content.Length).ToLookup(token => token.Content[0]);

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
            var end = at + token.Content.Length;
            if (token.LeftStrip) while (at > start && char.IsWhiteSpace(text[at - 1])) at--;
            if (token.RightStrip) while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (at > start) yield return (text[start..at], null);
            yield return (text[at..end], token);
            start = at = end;
        }
        if (start < text.Length) yield return (text[start..], null);
    }

    private AddedToken? Match(string text, int at) => _byFirst[text[at]].FirstOrDefault(token =>
        string.CompareOrdinal(text, at, token.Content, 0, token.Content.Length) == 0
        && (!token.SingleWord || (!IsWord(text, at - 1) && !IsWord(text, at + token.Content.Length))));

    private static bool IsWord(string text, int at) => at >= 0 && at < text.Length
        && (char.IsLetterOrDigit(text[at]) || char.GetUnicodeCategory(text[at]) is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.NonSpacingMark);
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

    /// <summary>Looked for in the normalized text instead of the given one.</summary>
    public bool Normalized { get; init; }

    public bool Special { get; init; }
}
