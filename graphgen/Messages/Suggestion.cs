using System.Diagnostics.CodeAnalysis;

namespace LoRTA.Onnx.GraphGen.Messages;

/// <summary>What a word that is not known probably means.</summary>
[Experimental(Unsettled.Id)]
public static class Suggestion
{
    private const int LettersPerMistake = 3;
    private const int LettersOfAStart = 3;

    /// <summary>The known word that a word is most likely meant to be.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="known">What could have been written.</param>
    /// <param name="otherNames">What other tools call some of these, in lower case; null = nothing is known of that.</param>
    /// <returns>Null where none comes close.</returns>
    public static string? For(string word, IEnumerable<string> known, IReadOnlyDictionary<string, string>? otherNames = null)
    {
        var lower = word.ToLowerInvariant();
        var words = known.ToList();
        if (otherNames?.GetValueOrDefault(lower) is { } meant && words.Contains(meant)) return meant;
        return words.Find(candidate => IsStart(lower, candidate) || IsStart(candidate, lower))
            ?? words.Select(candidate => (Word: candidate, Mistakes: Mistakes(lower, candidate.ToLowerInvariant())))
                .Where(candidate => candidate.Mistakes <= Math.Min(lower.Length, candidate.Word.Length) / LettersPerMistake)
                .OrderBy(candidate => candidate.Mistakes)
                .Select(candidate => candidate.Word)
            .FirstOrDefault();
    }

    /// <summary>The start of a hint: <c>Did you mean 'train'? </c>, or nothing.</summary>
    /// <inheritdoc cref="For"/>
    public static string Hint(string word, IEnumerable<string> known, IReadOnlyDictionary<string, string>? otherNames = null) =>
        For(word, known, otherNames) is { } meant ? $"Did you mean '{meant}'? " : string.Empty;

    /// <summary>A sentence to be added to another: <c>. Did you mean 'train'?</c>, or nothing.</summary>
    internal static string Sentence(string word, IEnumerable<string> known, IReadOnlyDictionary<string, string>? otherNames = null) =>
        For(word, known, otherNames) is { } meant ? $". Did you mean '{meant}'?" : string.Empty;

    private static bool IsStart(string start, string word) =>
        start.Length >= LettersOfAStart && word.StartsWith(start, StringComparison.OrdinalIgnoreCase);

    // Letters that are missing, too many, wrong, or swapped with their neighbour (optimal string alignment distance).
    private static int Mistakes(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var wrong = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(wrong, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
