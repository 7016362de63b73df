using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>Shows a result: one JSON document, or tables made from the same JSON.</summary>
internal static class Results
{
    private const int WidthOfFiles = 1000;

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
        else Show(ConsoleOn(output), JsonSerializer.SerializeToNode(result, result.GetType(), Json), title: null);
    }

    private static IAnsiConsole ConsoleOn(TextWriter output)
    {
        var isTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
        });
        if (!isTerminal) console.Profile.Width = WidthOfFiles;
        return console;
    }

    private static void Show(IAnsiConsole console, JsonNode? node, string? title)
    {
        if (title is not null) console.Write(new Text($"{title}\n"));
        if (node is JsonArray rows && rows.All(row => row is JsonObject)) console.Write(Rows(rows));
        else if (node is JsonObject record) ShowRecord(console, record);
        else console.Write(new Text($"{Cell(node)}\n"));
    }

    // Plain values in one table, then each list of records in its own.
    private static void ShowRecord(IAnsiConsole console, JsonObject record)
    {
        var fields = Flat(record, string.Empty).ToList();
        var plain = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns(string.Empty, string.Empty);
        foreach (var (name, value) in fields.Where(field => !IsTable(field.Value))) plain.AddRow(new Text(name), new Text(Cell(value)));
        if (plain.Rows.Count > 0) console.Write(plain);
        foreach (var (name, value) in fields.Where(field => IsTable(field.Value))) Show(console, value, name);
    }

    private static Table Rows(JsonArray rows)
    {
        var records = rows
            .Select(row => Flat(row!.AsObject(), string.Empty)
                .ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal))
            .ToList();
        var table = new Table().Border(TableBorder.Rounded);
        var names = records.SelectMany(record => record.Keys).Distinct(StringComparer.Ordinal)
            .Where(name => records.Exists(record => record.GetValueOrDefault(name) is not null)).ToList();
        foreach (var name in names) table.AddColumn(new TableColumn(new Text(name)));
        foreach (var record in records) table.AddRow(names.Select(name => new Text(Cell(record.GetValueOrDefault(name)))));
        return table;
    }

    private static IEnumerable<(string Name, JsonNode? Value)> Flat(JsonObject record, string prefix) =>
        record.SelectMany(pair => pair.Value is JsonObject { Count: > 0 } inner
            ? Flat(inner, $"{prefix}{pair.Key}.")
            : [($"{prefix}{pair.Key}", pair.Value)]);

    private static bool IsTable(JsonNode? value) => value is JsonArray { Count: > 0 } rows && rows.All(row => row is JsonObject);

    private static string Cell(JsonNode? value) => value switch
    {
        null => "–",
        JsonArray list => string.Join(", ", list.Select(Cell)),
        _ when value.GetValueKind() is JsonValueKind.String => value.GetValue<string>(),
        _ => value.ToJsonString(),
    };
}
