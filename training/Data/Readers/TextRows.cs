namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>Plain text: entries parted by a separator, each in the one column <c>text</c>, without the line ends around it.</summary>
internal static class TextRows
{
    public const string Column = "text";

    public static IEnumerable<DataRow> Parse(string path, string text, string separator)
    {
        separator = separator.Replace("\r\n", "\n", StringComparison.Ordinal);
        var (start, line) = (0, 1);
        while (start < text.Length)
        {
            var end = separator.Length == 0 ? -1 : text.IndexOf(separator, start, StringComparison.Ordinal);
            var (next, entry) = end < 0 ? (text.Length, text[start..]) : (end + separator.Length, text[start..end]);
            var leading = entry.Length - entry.TrimStart('\n').Length;
            if (!string.IsNullOrWhiteSpace(entry))
                yield return new DataRow(path, line + leading, new OrderedDictionary<string, string> { [Column] = entry.Trim('\n') });
            line += text.AsSpan(start, next - start).Count('\n');
            start = next;
        }
    }
}
