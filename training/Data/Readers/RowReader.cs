using System.Text;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>Reads the rows of a data file in any known format.</summary>
internal static class RowReader
{
    /// <summary>What separates the entries of a text file unless told otherwise: a blank line.</summary>
    public const string BlankLine = "\n\n";

    private static readonly Dictionary<string, Func<string, string, IEnumerable<DataRow>>> Formats = new(StringComparer.Ordinal)
    {
        ["tsv"] = TsvRows.Parse,
        ["csv"] = CsvRows.Parse,
        ["jsonl"] = JsonRows.Parse,
        ["json"] = JsonRows.Parse,
        ["fasta"] = FastaRows.Parse,
    };

    private static readonly Dictionary<string, string> Extensions = new(StringComparer.OrdinalIgnoreCase)
    {
        [".txt"] = "text",
        [".text"] = "text",
        [".md"] = "text",
        [".tsv"] = "tsv",
        [".tab"] = "tsv",
        [".csv"] = "csv",
        [".jsonl"] = "jsonl",
        [".ndjson"] = "jsonl",
        [".json"] = "json",
        [".fasta"] = "fasta",
        [".fa"] = "fasta",
        [".faa"] = "fasta",
        [".parquet"] = "parquet",
    };

    /// <summary>The format that a file's extension tells, whether there is a reader for it or not; null: it tells none.</summary>
    public static string? FormatOf(string path) => Extensions.GetValueOrDefault(Path.GetExtension(path));

    /// <summary>The format that the first character of some content tells: an object of JSON is JSONL, a list JSON; null: neither.
    /// </summary>
    public static string? FormatOf(ReadOnlySpan<byte> content) => PlainText.WithoutMark(content).TrimStart(" \t\r\n"u8) switch
    {
        [(byte)'{', ..] => "jsonl",
        [(byte)'[', ..] => "json",
        _ => null,
    };

    /// <summary>All rows in file order.</summary>
    /// <param name="path">A UTF-8 file.</param>
    /// <param name="format">text, tsv, csv, jsonl, json or fasta; null goes by the extension.</param>
    /// <param name="separator">Text only: what separates the entries.</param>
    /// <exception cref="LortaException">LRT101, LRT103: the file; LRT506: a line; LRT507: the format; LRT508: no entries.</exception>
    public static IReadOnlyList<DataRow> Read(string path, string? format = null, string separator = BlankLine)
    {
        format ??= FormatOf(path) ?? throw (RealPath.HasFile(path) ? DataErrors.UnknownFormat(path, null) : FileErrors.NotFound(path));
        return Read(path, ReadBytes(path), format, separator);
    }

    /// <summary>All rows of bytes that were read already.</summary>
    /// <param name="path">What messages call them.</param>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="format">text, tsv, csv, jsonl, json or fasta.</param>
    /// <param name="separator">Text only: what separates the entries.</param>
    /// <exception cref="LortaException">LRT506: a line; LRT507: the format; LRT508: no entries.</exception>
    public static IReadOnlyList<DataRow> Read(string path, byte[] bytes, string format, string separator = BlankLine)
    {
        var parse = format == "text" ? (file, text) => TextRows.Parse(file, text, separator)
            : Formats.GetValueOrDefault(format) ?? throw DataErrors.UnknownFormat(path, format);
        List<DataRow> rows = [.. parse(path, ToText(path, bytes))];
        return rows.Count > 0 ? rows : throw DataErrors.Empty(path);
    }

    private static byte[] ReadBytes(string path)
    {
        if (!RealPath.HasFile(path)) throw FileErrors.NotFound(path);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }

    // Without byte order mark, all line ends as \n.
    private static string ToText(string path, byte[] content)
    {
        var bytes = PlainText.WithoutMark(content);
        var invalid = FirstInvalid(bytes);
        if (invalid >= 0) throw DataErrors.BadLine(path, bytes[..invalid].Count((byte)'\n') + 1, "the text is not UTF-8");
        return PlainText.UnifyLineEnds(Encoding.UTF8.GetString(bytes));
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            if (Rune.DecodeFromUtf8(bytes[at..], out _, out var length) != System.Buffers.OperationStatus.Done) return at;
            at += length;
        }
        return -1;
    }
}
