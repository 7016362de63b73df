using System.Text;
using System.Text.Json;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>JSON objects: one a line, or one after the other over several lines, or all in one array.</summary>
internal static class JsonRows
{
    public static IEnumerable<DataRow> Parse(string path, string text) => IsOnePerLine(text) ? Lines(path, text) : Values(path, text);

    // What starts with an object that its line does not end is no file of lines.
    private static bool IsOnePerLine(string text)
    {
        var start = text.AsSpan().TrimStart();
        if (!start.StartsWith("{")) return !start.StartsWith("[");
        var end = start.IndexOf('\n');
        return end < 0 || IsJson(start[..end].ToString()) || !IsJson(text);
    }

    private static bool IsJson(string text)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), Reading);
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static JsonReaderOptions Reading => new() { AllowMultipleValues = true };

    private static IEnumerable<DataRow> Lines(string path, string text)
    {
        var line = 0;
        foreach (var json in text.Split('\n'))
        {
            line++;
            if (!string.IsNullOrWhiteSpace(json)) yield return ReadLine(path, line, json);
        }
    }

    private static DataRow ReadLine(string path, int line, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return new JsonCells(path, line).ReadRow(document.RootElement);
        }
        catch (JsonException e)
        {
            throw DataErrors.BadLine(path, line, JsonCells.NotAnObject, e);
        }
    }

    private static List<DataRow> Values(string path, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, Reading);
        var rows = new List<DataRow>();
        var line = 1;
        var counted = 0;
        try
        {
            while (reader.Read())
            {
                line += bytes.AsSpan(counted, (int)reader.TokenStartIndex - counted).Count((byte)'\n');
                counted = (int)reader.TokenStartIndex;
                if (reader.CurrentDepth == 0 && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray) continue;
                using var document = JsonDocument.ParseValue(ref reader);
                rows.Add(new JsonCells(path, line).ReadRow(document.RootElement));
            }
        }
        catch (JsonException e)
        {
            throw DataErrors.BadLine(path, (int)(e.LineNumber ?? 0) + 1,
                "not JSON, which should be one object a line, or one array of objects", e);
        }
        return rows;
    }
}
