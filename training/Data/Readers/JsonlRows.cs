using System.Text.Json;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>One JSON object a line.</summary>
/// <remarks>Numbers keep their spelling, null is empty, lists of plain values are parted by spaces, members of inner objects are columns
/// <c>outer.inner</c>; anything else is its JSON.</remarks>
internal static class JsonlRows
{
    public static IEnumerable<DataRow> Parse(string path, string text)
    {
        var line = 0;
        foreach (var json in text.Split('\n'))
        {
            line++;
            if (!string.IsNullOrWhiteSpace(json)) yield return new DataRow(path, line, ReadCells(path, line, json));
        }
    }

    private static OrderedDictionary<string, string> ReadCells(string path, int line, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw DataErrors.BadLine(path, line, "not a JSON object");
            var cells = new OrderedDictionary<string, string>(StringComparer.Ordinal);
            Add(cells, string.Empty, document.RootElement);
            return cells;
        }
        catch (JsonException e)
        {
            throw DataErrors.BadLine(path, line, "not a JSON object", e);
        }
    }

    private static void Add(OrderedDictionary<string, string> cells, string prefix, JsonElement json)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object) Add(cells, $"{prefix}{member.Name}.", member.Value);
            else cells[prefix + member.Name] = Text(member.Value);
        }
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => string.Empty,
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)) =>
            string.Join(' ', value.EnumerateArray().Select(Text)),
        _ => value.GetRawText(),
    };
}
