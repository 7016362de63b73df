using CsvHelper;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>Fields separated by commas under a header line, quoted where they hold commas, quotes or line ends (RFC 4180). A blank
/// line is an empty field where there is one column, and nothing where there are more.</summary>
internal static class CsvRows
{
    // Nothing lenient: a stray quote is an error of its line, not a shifted column.
    private static readonly CsvReaderOptions Strict = new()
    {
        Separator = ',',
        HasHeader = false,
        SkipEmptyLines = false,
        DetectSeparatorHint = false,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
    };

    public static IEnumerable<DataRow> Parse(string path, string text)
    {
        using var reader = CsvReader.FromText(text, Strict);
        var header = Array.Empty<string>();
        while (header is [] or [""])   // blank lines before the header
        {
            if (!Next(path, reader)) yield break;
            header = reader.Current.ToArray();
        }
        TsvRows.CheckHeader(path, header);
        while (Next(path, reader))
        {
            var (line, fields) = ((int)reader.LineNumber, reader.Current.ToArray());
            if (header.Length > 1 && IsBlank(reader)) continue;
            if (fields.Length != header.Length) throw DataErrors.FieldCount(path, line, fields.Length, header.Length);
            yield return new DataRow(path, line, new(header.Zip(fields, KeyValuePair.Create), StringComparer.Ordinal));
        }
    }

    // A line of two quotes is a field, of the empty text.
    private static bool IsBlank(CsvReader reader) => reader.FieldCount == 1 && reader.GetRawSpan(0).IsEmpty;

    private static bool Next(string path, CsvReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (CsvFormatException e)
        {
            throw DataErrors.BadLine(path, (int)e.LineNumber, "a quote is inside a field that is not quoted, or is never closed", e);
        }
    }
}
