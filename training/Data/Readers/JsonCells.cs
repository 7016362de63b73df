using System.Text.Json;

namespace LoRTA.Onnx.Training.Data.Readers;

/// <summary>The cells of one JSON object.</summary>
/// <remarks>Numbers keep their spelling, null is empty, lists of plain values are separated by spaces, members of inner objects are columns
/// <c>outer.inner</c>; anything else is its JSON.</remarks>
/// <param name="path">The file.</param>
/// <param name="line">The line that the object starts on.</param>
internal sealed class JsonCells(string path, int line)
{
    public const string NotAnObject = "not a JSON object";

    private readonly OrderedDictionary<string, string> _cells = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, CellKind> _kinds = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _lists = new(StringComparer.Ordinal);

    /// <summary>Makes a row of an object.</summary>
    /// <exception cref="GraphGen.LortaException">LRT506: it is no object, or a text in it is none.</exception>
    public DataRow ReadRow(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) throw DataErrors.BadLine(path, line, NotAnObject);
        try
        {
            Add(string.Empty, json);
        }
        catch (InvalidOperationException e)
        {
            throw DataErrors.BadLine(path, line,
                "a text holds half of a surrogate pair (\\ud800 to \\udfff), so it was cut in the middle of a character", e);
        }
        return new DataRow(path, line, _cells) { Kinds = _kinds, Lists = _lists };
    }

    private void Add(string prefix, JsonElement json)
    {
        foreach (var member in json.EnumerateObject())
        {
            var column = prefix + member.Name;
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                Add(column + ".", member.Value);
                continue;
            }
            _cells[column] = Text(member.Value);
            if (Kind(member.Value) is not CellKind.Text and var kind) _kinds[column] = kind;
            else _kinds.Remove(column);   // of a member that is given twice the last counts
            if (Kind(member.Value) == CellKind.List) _lists[column] = member.Value.GetRawText();
        }
    }

    private static CellKind Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => CellKind.Null,
        JsonValueKind.Array => IsPlain(value) ? CellKind.List : CellKind.Nested,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => CellKind.Literal,
        _ => CellKind.Text,
    };

    private static bool IsPlain(JsonElement list) =>
        list.EnumerateArray().All(item => item.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object));

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => string.Empty,
        JsonValueKind.Array when IsPlain(value) => string.Join(' ', value.EnumerateArray().Select(Text)),
        _ => value.GetRawText(),
    };
}
