using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>Plain text: entries split at a separator, each in the one column <c>text</c>, without the line ends around it.</summary>
/// <remarks>A separator of line ends only stands for blank lines, and a line that holds only white space is blank.</remarks>
internal static class TextRows
{
    public const string Column = "text";

    public static IEnumerable<DataRow> Parse(string path, string text, string separator)
    {
        separator = PlainText.UnifyLineEnds(separator);
        var isBlankLines = separator.Length > 0 && separator.All(letter => letter == '\n');
        var entries = isBlankLines ? AtBlankLines(text.Split('\n'), separator.Length - 1) : AtSeparators(text, separator);
        return entries.Select(entry => new DataRow(path, entry.Line, new OrderedDictionary<string, string> { [Column] = entry.Text }));
    }

    private static IEnumerable<(int Line, string Text)> AtSeparators(string text, string separator)
    {
        var (start, line) = (0, 1);
        while (start < text.Length)
        {
            var end = separator.Length == 0 ? -1 : text.IndexOf(separator, start, StringComparison.Ordinal);
            var (next, entry) = end < 0 ? (text.Length, text[start..]) : (end + separator.Length, text[start..end]);
            var leading = entry.Length - entry.TrimStart('\n').Length;
            if (!string.IsNullOrWhiteSpace(entry)) yield return (line + leading, entry.Trim('\n'));
            line += text.AsSpan(start, next - start).Count('\n');
            start = next;
        }
    }

    // Fewer blank lines than the separator has belong to the entry around them.
    private static IEnumerable<(int Line, string Text)> AtBlankLines(string[] lines, int blankLines)
    {
        var (first, last) = (-1, -1);   // of the current entry, without blank lines around it
        for (var i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i])) continue;
            if (first >= 0 && i - last > blankLines)
            {
                yield return (first + 1, Join(first, last));
                first = -1;
            }
            if (first < 0) first = i;
            last = i;
        }
        if (first >= 0) yield return (first + 1, Join(first, last));

        string Join(int from, int to) => string.Join('\n', lines, from, to - from + 1);
    }
}
