using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a result: one JSON document, or plain text made from the same JSON.</summary>
internal static class Results
{
    private const int WidthOfFiles = 100;
    private const int NarrowestTerminal = 40;
    private const string Commands = "next";   // the field of commands that are to be copied

    /// <summary>How results are written.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Writes a result; one that is JSON itself (a schema) stays JSON.</summary>
    public static void Write(TextWriter output, object result, bool asJson)
    {
        if (result is IDocument document)
        {
            if ((asJson ? document.ToJson() : document.ToTable()) is not { } shown) return;
            result = shown;
        }
        if (asJson || result is JsonNode) output.WriteLine(JsonSerializer.Serialize(result, result.GetType(), Json));
        else foreach (var line in Lines(result, WidthOf(output))) output.Write($"{line}\n");
    }

    /// <summary>What a person reads of a result.</summary>
    /// <param name="result">A record, a list of records, or a plain value.</param>
    /// <param name="width">Columns of a line.</param>
    internal static IEnumerable<string> Lines(object result, int width)
    {
        var layout = new TextLayout(width);
        return JsonSerializer.SerializeToNode(result, result.GetType(), Json) switch
        {
            JsonArray rows when IsTable(rows) => Rows(layout, rows),
            JsonObject record => Record(layout, record),
            var value => [Numbers.Text(value)],
        };
    }

    // A terminal's last column stays free: some break the line when it is filled.
    private static int WidthOf(TextWriter output) => TerminalFacts.IsTerminal(output)
        ? Math.Max(NarrowestTerminal, Console.WindowWidth - 1)
        : WidthOfFiles;

    // Plain values first, then each list of records under its name, and commands; what is empty says nothing.
    private static IEnumerable<string> Record(TextLayout layout, JsonObject record)
    {
        var commands = record[Commands] as JsonArray ?? [];
        var fields = Flat(record, string.Empty).Where(field => !ReferenceEquals(field.Value, commands)).ToList();
        var plain = fields.Where(field => field.Value is not null && !IsTable(field.Value))
            .Select(field => (field.Name, Text: Numbers.Text(field.Value, field.Name)))
            .Where(field => field.Text.Length > 0)
            .ToList();
        var tables = fields.Where(field => IsTable(field.Value)).Select(field =>
            layout.Text(field.Name.TrimEnd(':') + ":").Concat(Rows(layout, field.Value!.AsArray())));
        if (commands.Count > 0) tables = tables.Append(commands.Select(command => $"  {command}").Prepend($"{Commands}:"));
        return (plain.Count > 0 ? tables.Prepend(layout.Fields(plain)) : tables)
            .SelectMany((lines, index) => index == 0 ? lines : lines.Prepend(string.Empty));
    }

    private static IEnumerable<string> Rows(TextLayout layout, JsonArray rows)
    {
        var records = rows
            .Select(row => Flat(row!.AsObject(), string.Empty).ToDictionary(
                field => field.Name, field => Numbers.Text(field.Value, field.Name), StringComparer.Ordinal))
            .ToList();
        var names = records.SelectMany(record => record.Keys).Distinct(StringComparer.Ordinal)
            .Where(name => records.Exists(record => record.GetValueOrDefault(name) is { Length: > 0 })).ToList();
        return layout.Table(names, [.. records.Select(record => names.ConvertAll(name => record.GetValueOrDefault(name) ?? string.Empty))]);
    }

    private static IEnumerable<(string Name, JsonNode? Value)> Flat(JsonObject record, string prefix) =>
        record.SelectMany(pair => pair.Value is JsonObject inner
            ? Flat(inner, $"{prefix}{pair.Key}.")
            : [($"{prefix}{pair.Key}", pair.Value)]);

    private static bool IsTable(JsonNode? value) => value is JsonArray { Count: > 0 } rows && rows.All(row => row is JsonObject);
}
