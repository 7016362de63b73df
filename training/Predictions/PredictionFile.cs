using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CsvHelper;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Predictions;

/// <summary>Writes predictions as a table: the columns of each row, then what was predicted for it.</summary>
internal static class PredictionFile
{
    private const string OwnPrefix = "input.";
    private const string Csv = "csv";
    private const string JsonLines = "jsonl";

    private static readonly string[] LineEnds = ["\t", "\n", "\r"];

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Refuses a place or a kind of file that nothing is written to, before any work is done for it.</summary>
    /// <exception cref="LortaException">LRT633: no such format; LRT102, LRT123, LRT701: the place is taken.</exception>
    public static void Check(string path, bool force, IReadOnlyList<string> inputs)
    {
        if (path == "-" || RowReader.FormatOf(path) is "json" or "fasta" or "parquet" || Path.EndsInDirectorySeparator(path))
            throw PredictionErrors.UnknownOutput(path);
        new OutputGuard(force, inputs).CheckFile(path);
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="path">JSONL or CSV where the extension says so, else TSV.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="predicted">What was predicted for each.</param>
    /// <returns>What a reader of the file should know.</returns>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    public static IReadOnlyList<string> Write(
        string path, IReadOnlyList<DataRow> rows, IReadOnlyList<IReadOnlyList<PredictedCell>> predicted)
    {
        var taken = predicted[0].Select(cell => cell.Column).ToHashSet(StringComparer.Ordinal);
        var own = rows.SelectMany(row => row.Cells.Keys).Distinct(StringComparer.Ordinal).ToList();
        var names = OutputNames(own, taken);
        var notes = own.Where(column => names[column] != column)
            .Select(column => $"The input's column '{column}' is written as '{names[column]}', since '{column}' is what was predicted.")
            .ToList();
        AtomicFile.Write(path, stream =>
        {
            if (RowReader.FormatOf(path) == JsonLines) WriteJson(stream, rows, predicted, names);
            else WriteTable(stream, RowReader.FormatOf(path) == Csv ? Csv : "tsv", Table(own, names, rows, predicted), notes);
        });
        return notes;
    }

    // Predicted columns keep the names that scripts rely on.
    private static Dictionary<string, string> OutputNames(List<string> own, HashSet<string> predicted)
    {
        var taken = new HashSet<string>(predicted.Concat(own), StringComparer.Ordinal);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var column in own)
        {
            var name = column;
            while (predicted.Contains(column) && taken.Contains(name)) name = OwnPrefix + name;
            taken.Add(name);
            names[column] = name;
        }
        return names;
    }

    private static IEnumerable<string[]> Table(List<string> own, Dictionary<string, string> names, IReadOnlyList<DataRow> rows,
        IReadOnlyList<IReadOnlyList<PredictedCell>> predicted)
    {
        yield return [.. own.Select(column => names[column]), .. predicted[0].Select(cell => cell.Column)];
        foreach (var (row, cells) in rows.Zip(predicted))
            yield return [.. own.Select(column => row.Cells.GetValueOrDefault(column, string.Empty)), .. cells.Select(cell => cell.Text)];
    }

    private static void WriteTable(Stream stream, string format, IEnumerable<string[]> records, List<string> notes)
    {
        using var text = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        using var writer = CsvWriter.Create(text, format == Csv ? CsvOptions : TsvOptions, leaveOpen: true);
        var changed = 0;
        foreach (var record in records)
        {
            if (format != Csv) changed += Flatten(record);
            writer.WriteRecord(record);
        }
        if (changed > 0)
            notes.Add(string.Create(CultureInfo.InvariantCulture,
                $"{changed:N0} {(changed == 1 ? "cell holds" : "cells hold")} tabs or line ends, which are spaces in TSV; "
                    + $".csv and .jsonl keep them."));
    }

    // A table whose cells are not quoted has no place for tabs and line ends.
    private static int Flatten(string[] record)
    {
        var changed = 0;
        for (var i = 0; i < record.Length; i++)
        {
            if (!LineEnds.Any(record[i].Contains)) continue;
            record[i] = LineEnds.Aggregate(record[i], (cell, end) => cell.Replace(end, " ", StringComparison.Ordinal));
            changed++;
        }
        return changed;
    }

    private static CsvWriterOptions CsvOptions { get; } = new() { NewLine = "\n" };

    private static CsvWriterOptions TsvOptions { get; } = new() { NewLine = "\n", Separator = '\t', Mode = CsvMode.NoEscape };

    private static void WriteJson(Stream stream, IReadOnlyList<DataRow> rows, IReadOnlyList<IReadOnlyList<PredictedCell>> predicted,
        Dictionary<string, string> names)
    {
        foreach (var (row, cells) in rows.Zip(predicted))
        {
            using (var json = new Utf8JsonWriter(stream, Json))
            {
                json.WriteStartObject();
                foreach (var column in row.Cells.Keys) WriteOwn(json, names[column], row, column);
                foreach (var cell in cells)
                {
                    if (cell.Number is { } number) json.WriteNumber(cell.Column, number);
                    else json.WriteString(cell.Column, cell.Text);
                }
                json.WriteEndObject();
            }
            stream.WriteByte((byte)'\n');
        }
    }

    private static void WriteOwn(Utf8JsonWriter json, string name, DataRow row, string column)
    {
        json.WritePropertyName(name);
        switch (row.Kind(column))
        {
            case CellKind.Null:
                json.WriteNullValue();
                break;
            case CellKind.Literal or CellKind.Nested:
                json.WriteRawValue(OnOneLine(row.Cells[column]));
                break;
            case CellKind.List:
                json.WriteRawValue(OnOneLine(row.Lists[column]));
                break;
            default:
                json.WriteStringValue(row.Cells[column]);
                break;
        }
    }

    // Line ends in JSON stand between its tokens only; inside a text they are escaped.
    private static string OnOneLine(string json) => json.Replace('\n', ' ').Replace('\r', ' ');
}
