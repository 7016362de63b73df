namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>Fields separated by tabs under a header line. Nothing is quoted: a double quote is a character of the text, as in GLUE's
/// files. A blank line is an empty field where there is one column, and nothing where there are more.</summary>
internal static class TsvRows
{
    public static IEnumerable<DataRow> Parse(string path, string text)
    {
        var lines = text.Split('\n');
        var header = lines[0].Split('\t');
        CheckHeader(path, header);
        for (var i = 1; i < lines.Length; i++)
        {
            if (lines[i].Length == 0 && (header.Length > 1 || i == lines.Length - 1)) continue;
            var fields = lines[i].Split('\t');
            if (fields.Length != header.Length) throw DataErrors.FieldCount(path, i + 1, fields.Length, header.Length);
            yield return new DataRow(path, i + 1, new(header.Zip(fields, KeyValuePair.Create), StringComparer.Ordinal));
        }
    }

    /// <summary>Refuses a header that names a column twice.</summary>
    public static void CheckHeader(string path, IReadOnlyList<string> header)
    {
        if (header.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw DataErrors.BadLine(path, 1, $"the header names the column '{twice.Key}' twice");
    }
}
