using System.Globalization;
using System.Text;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>BERT's normalization and its splitting into words.</summary>
/// <param name="CleanText">Drop control characters, make all white space a space.</param>
/// <param name="SplitChinese">Put spaces around Chinese characters.</param>
/// <param name="StripAccents">Drop combining marks after decomposition; null: as <paramref name="LowerCase"/>.</param>
/// <param name="LowerCase">Write everything in lower case.</param>
internal sealed record BertText(bool CleanText = true, bool SplitChinese = true, bool? StripAccents = null, bool LowerCase = true)
{
    public string Normalize(string text)
    {
        if (CleanText || SplitChinese) text = MapRunes(text, Clean);
        if (StripAccents ?? LowerCase) text = WithoutAccents(text);
        return LowerCase ? Lower(text) : text;
    }

    /// <summary>Without non-spacing marks; other characters stay decomposed, as BERT leaves them.</summary>
    public static string WithoutAccents(string text) =>
        MapRunes(UnicodeForms.Decompose(text), (rune, to) =>
        {
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark) to.Append(rune.ToString());
        });

    public static string Lower(string text) =>
        MapRunes(text, (rune, to) => to.Append(rune.Value == 'İ' ? "i̇" : Rune.ToLowerInvariant(rune).ToString()));

    /// <summary>Words separated by white space, every punctuation character on its own.</summary>
    public static IEnumerable<string> Words(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length);
            var (space, mark) = (Rune.IsWhiteSpace(rune), IsPunctuation(rune));
            if ((space || mark) && at > start) yield return text[start..at];
            if (mark) yield return text.Substring(at, length);
            at += length;
            if (space || mark) start = at;
        }
        if (start < text.Length) yield return text[start..];
    }

    public static bool IsPunctuation(Rune rune) => rune.IsAscii
        ? rune.Value is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126)
        : Rune.GetUnicodeCategory(rune) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    private void Clean(Rune rune, StringBuilder to)
    {
        if (CleanText && (rune.Value is 0 or 0xFFFD || IsControl(rune))) return;
        if (CleanText && Rune.IsWhiteSpace(rune)) to.Append(' ');
        else if (SplitChinese && IsChinese(rune.Value)) to.Append(' ').Append(rune.ToString()).Append(' ');
        else to.Append(rune.ToString());
    }

    private static bool IsControl(Rune rune) => rune.Value is not ('\t' or '\n' or '\r')
        && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.PrivateUse;

    private static bool IsChinese(int point) =>
        point is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
            or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static string MapRunes(string text, Action<Rune, StringBuilder> map)
    {
        var mapped = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes()) map(rune, mapped);
        return mapped.ToString();
    }
}
