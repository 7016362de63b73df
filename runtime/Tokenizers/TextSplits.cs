using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>The ways to split text into words that tokenizer.json knows.</summary>
internal static partial class TextSplits
{
    // Stand-ins of one UTF-16 unit for characters beyond it, so that \p{…} in a pattern sees their category.
    private static readonly Dictionary<UnicodeCategory, char> StandIns = new()
    {
        [UnicodeCategory.UppercaseLetter] = 'Ω',
        [UnicodeCategory.LowercaseLetter] = 'ω',
        [UnicodeCategory.TitlecaseLetter] = 'ǅ',
        [UnicodeCategory.ModifierLetter] = 'ʰ',
        [UnicodeCategory.OtherLetter] = 'ꀀ',
        [UnicodeCategory.NonSpacingMark] = '\u0300',
        [UnicodeCategory.SpacingCombiningMark] = '\u0903',
        [UnicodeCategory.EnclosingMark] = '\u0488',
        [UnicodeCategory.DecimalDigitNumber] = '٠',
        [UnicodeCategory.LetterNumber] = 'Ⅷ',
        [UnicodeCategory.OtherNumber] = '¼',
        [UnicodeCategory.OtherPunctuation] = '¡',
    };

    // Of one match, which takes microseconds unless a pattern backtracks without end.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(5);

    /// <summary>What becomes of the matches of a pattern.</summary>
    public enum Behavior
    {
        Isolated,
        Removed,
        MergedWithPrevious,
        MergedWithNext,
        Contiguous,
    }

    /// <summary>GPT-2's pattern: contractions, and letters, digits or others with one space before them.</summary>
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    public static partial Regex Gpt2 { get; }

    [GeneratedRegex(@"\w+|[^\w\s]+", RegexOptions.CultureInvariant)]
    public static partial Regex WordsAndMarks { get; }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    public static partial Regex WhiteSpace { get; }

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    public static partial Regex Digit { get; }

    /// <summary>A pattern from a tokenizer's file: on the engine that never backtracks where it can express the pattern, else with a time
    /// limit.</summary>
    public static Regex Pattern(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, TimeLimit);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, TimeLimit);   // looks around itself, or refers back
        }
    }

    /// <summary>Splits at the matches of <paramref name="pattern"/>; with <paramref name="invert"/> the text between them counts as the
    /// matches.</summary>
    public static IEnumerable<string> At(Regex pattern, Behavior behavior, bool invert, string text)
    {
        var matches = pattern.Matches(StandIn(text))
            .Where(match => match.Length > 0)
            .Select(match => (match.Index, End: match.Index + match.Length));
        var (pending, lastMatched) = (string.Empty, false);
        foreach (var (start, end, matched) in Segments(matches, text.Length, invert))
        {
            var segment = text[start..end];
            var joins = behavior switch
            {
                Behavior.MergedWithPrevious => matched && !lastMatched,
                Behavior.MergedWithNext => lastMatched && !matched,
                Behavior.Contiguous => matched && lastMatched,
                _ => false,
            };
            if (!joins && pending.Length > 0) yield return pending;
            pending = matched && behavior == Behavior.Removed ? string.Empty
                : joins ? pending + segment
                : segment;
            lastMatched = matched;
        }
        if (pending.Length > 0) yield return pending;
    }

    private static IEnumerable<(int Start, int End, bool Matched)> Segments(
        IEnumerable<(int Index, int End)> matches, int length, bool invert)
    {
        var at = 0;
        foreach (var (start, end) in matches)
        {
            if (start > at) yield return (at, start, invert);
            yield return (start, end, !invert);
            at = end;
        }
        if (length > at) yield return (at, length, invert);
    }

    private static string StandIn(string text)
    {
        if (!text.Any(char.IsSurrogate)) return text;
        var shadow = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsBmp || !StandIns.TryGetValue(Rune.GetUnicodeCategory(rune), out var letter)) shadow.Append(rune.ToString());
            else shadow.Append(letter, 2);
        }
        return shadow.ToString();
    }
}
