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
            if (!string.IsNullOrWhiteSpace(json)) yield return ReadRow(path, line, json);
        }
    }

    private static DataRow ReadRow(string path, int line, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw DataErrors.BadLine(path, line, "not a JSON object");
            var (cells, kinds) = (new OrderedDictionary<string, string>(StringComparer.Ordinal), new SortedDictionary<string, CellKind>(StringComparer.Ordinal));
            Add(cells, kinds, string.Empty, document.RootElement);
            return new DataRow(path, line, cells) { Kinds = kinds };
        }
        catch (JsonException e)
        {
            throw DataErrors.BadLine(path, line, "not a JSON object", e);
        }
    }

    private static void Add(OrderedDictionary<string, string> cells, SortedDictionary<string, CellKind> kinds, string prefix, JsonElement json)
    {
        foreach (var member in json.EnumerateObject())
        {
            var column = prefix + member.Name;
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                Add(cells, kinds, column + ".", member.Value);
                continue;
            }
            cells[column] = Text(member.Value);
            if (Kind(member.Value) is not CellKind.Text and var kind) kinds[column] = kind;
        }
    }

    private static CellKind Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => CellKind.Null,
        JsonValueKind.Array => IsPlain(value) ? CellKind.List : CellKind.Nested,
        _ => CellKind.Text,
    };

    private static bool IsPlain(JsonElement list) => list.EnumerateArray().All(item => item.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object));

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => string.Empty,
        JsonValueKind.Array when IsPlain(value) => string.Join(' ', value.EnumerateArray().Select(Text)),
        _ => value.GetRawText(),
    };
}
