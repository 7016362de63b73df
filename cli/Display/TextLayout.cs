using System.Globalization;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>Lays values out as plain text of a width: aligned by spaces, without lines, so that it reads the same in a terminal, a file and
/// a pipe.</summary>
/// <param name="width">Columns of the terminal, or of a page.</param>
internal sealed partial class TextLayout(int width)
{
    private const string Gap = "  ";
    private const int NarrowestText = 24;   // a column of text that is narrower reads badly

    /// <summary>Names on the left, their values beside them.</summary>
    public IEnumerable<string> Fields(IReadOnlyList<(string Name, string Text)> fields)
    {
        var names = fields.Select(field => Length(field.Name)).DefaultIfEmpty(0).Max();
        return fields.SelectMany(field => Row([field.Name, field.Text], [names, Rest(names)], [false, false]));
    }

    /// <summary>A sentence, or a heading, in lines.</summary>
    public IEnumerable<string> Text(string text) => Wrapped(text, width);

    /// <summary>A row for each record under the names of its values; where that is wider than the page, the values of each record below
    /// each other.</summary>
    /// <param name="names">The columns.</param>
    /// <param name="rows">Their cells.</param>
    public IEnumerable<string> Table(IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var natural = names.Select((name, column) => rows.Select(row => Length(row[column])).Append(Length(name)).Max()).ToArray();
        if (Fitted(natural) is not { } widths) return Records(names, rows);
        var numbers = names.Select((_, column) => rows.All(row => Numeric().IsMatch(row[column]))).ToArray();
        return rows.Prepend(names).SelectMany(row => Row(row, widths, numbers));
    }

    /// <summary>The text in lines of at most some columns, broken between words; a word that is longer is cut.</summary>
    internal static IEnumerable<string> Wrapped(string text, int columns)
    {
        var line = string.Empty;
        foreach (var word in text.Split(' ').SelectMany(word => Pieces(word, columns)))
        {
            if (line.Length == 0) line = word;
            else if (Length(line) + 1 + Length(word) <= columns) line += $" {word}";
            else
            {
                yield return line;
                line = word;
            }
        }
        yield return line;
    }

    // The widest column is wrapped where that is enough.
    private int[]? Fitted(int[] natural)
    {
        var excess = natural.Sum() + (natural.Length - 1) * Gap.Length - width;
        if (excess <= 0) return natural;
        var widest = Array.IndexOf(natural, natural.Max());
        if (natural[widest] - excess < NarrowestText) return null;
        return [.. natural.Select((columns, index) => index == widest ? columns - excess : columns)];
    }

    private IEnumerable<string> Records(IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<string>> rows) =>
        rows.SelectMany((row, index) => Fields([.. names.Zip(row).Where(cell => cell.Second.Length > 0)])
            .Concat(index < rows.Count - 1 ? [string.Empty] : []));

    private int Rest(int taken) => Math.Max(NarrowestText, width - taken - Gap.Length);

    private static IEnumerable<string> Row(IReadOnlyList<string> cells, int[] widths, bool[] atRight)
    {
        var wrapped = cells.Select((cell, column) => cell.Split('\n').SelectMany(line => Wrapped(line, widths[column])).ToList()).ToList();
        for (var line = 0; line < wrapped.Max(lines => lines.Count); line++)
        {
            var row = wrapped.Select((lines, column) =>
                Padded(lines.ElementAtOrDefault(line) ?? string.Empty, widths[column], atRight[column]));
            yield return string.Join(Gap, row).TrimEnd();
        }
    }

    private static string Padded(string text, int columns, bool atRight)
    {
        var padding = new string(' ', Math.Max(0, columns - Length(text)));
        return atRight ? padding + text : text + padding;
    }

    private static IEnumerable<string> Pieces(string word, int columns)
    {
        var letters = new StringInfo(word);
        if (letters.LengthInTextElements <= columns) return [word];
        return Enumerable.Range(0, (letters.LengthInTextElements + columns - 1) / columns)
            .Select(piece => letters.SubstringByTextElements(
                piece * columns, Math.Min(columns, letters.LengthInTextElements - piece * columns)));
    }

    private static int Length(string text) => text.Split('\n').Max(line => new StringInfo(line).LengthInTextElements);

    [GeneratedRegex(@"^[-+]?[0-9,.]*(e[-+]?[0-9]+)?( %| [kMG]B)?$")]
    private static partial Regex Numeric();
}
