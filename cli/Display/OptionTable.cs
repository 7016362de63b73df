using System.Text.Json;
using System.Text.Json.Nodes;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>The keys of an option schema as Markdown: a table for each group of keys.</summary>
internal static class OptionTable
{
    private static readonly string[] Header = ["key", "value", "default", "meaning"];

    /// <summary>The tables, with a heading for each group.</summary>
    /// <param name="schema">A schema of <c>RecipeSchema</c>.</param>
    public static string Of(JsonObject schema) => string.Join('\n', Groups(string.Empty, schema).Select(Text));

    private static string Text((string Path, JsonObject Schema) group)
    {
        var rows = Properties(group.Schema).Select(key => (IReadOnlyList<string?>)
        [
            $"`{key.Name}`", Value(key.Schema), Default(group.Schema, key.Name, key.Schema), Escaped(Describe(key.Schema)),
        ]);
        var heading = group.Path.Length == 0 ? string.Empty : $"## {group.Path}\n\n{Escaped(Describe(group.Schema))}\n\n";
        return heading + MarkdownTable.Of(Header, rows);
    }

    // A group, and the groups inside it; entries of a list are a group whose name ends in [].
    private static IEnumerable<(string Path, JsonObject Schema)> Groups(string path, JsonObject schema)
    {
        yield return (path, schema);
        foreach (var (name, key) in Properties(schema))
        {
            var inner = path.Length == 0 ? name : $"{path}.{name}";
            var groups = HasKeys(key) ? Groups(inner, key)
                : key["items"] is JsonObject items && HasKeys(items) ? Groups($"{inner}[]", items)
                : [];
            foreach (var group in groups) yield return group;
        }
    }

    private static IEnumerable<(string Name, JsonObject Schema)> Properties(JsonObject schema) =>
        (schema["properties"] as JsonObject ?? []).Select(property => (property.Key, property.Value!.AsObject()));

    private static bool HasKeys(JsonObject schema) => schema["properties"] is JsonObject;

    private static string Describe(JsonObject schema) => schema["description"]?.GetValue<string>() ?? string.Empty;

    private static string Value(JsonObject schema)
    {
        if (HasKeys(schema)) return "keys";
        if (schema["enum"] is JsonArray words) return string.Join(", ", words.Where(word => word is not null).Select(Code));
        if (schema["anyOf"] is JsonArray forms)
            return string.Join(" or ", forms.OfType<JsonObject>().Select(Value).Where(value => value.Length > 0));
        var types = (schema["type"] is JsonArray several ? [.. several.Select(type => type!.GetValue<string>())]
            : new[] { schema["type"]?.GetValue<string>() ?? string.Empty }).Where(type => type is not ("null" or ""));
        return string.Join(" or ", types.Select(type => type switch
        {
            "array" => schema["items"] is JsonObject items ? HasKeys(items) ? "list of keys" : $"list of {Value(items)}" : "list",
            "object" => schema["additionalProperties"] is JsonObject values ? $"name: {Value(values)}" : "keys",
            "string" => "text",
            "boolean" => "`true`, `false`",
            _ => type + Range(schema),
        }));
    }

    private static string Range(JsonObject schema) => string.Concat(
        new[] { ("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<") }
            .Where(bound => schema.ContainsKey(bound.Item1))
            .Select((bound, index) => $"{(index > 0 ? "," : string.Empty)} {bound.Item2} {schema[bound.Item1]!.ToJsonString()}"));

    // A group's default is that of its keys.
    private static string Default(JsonObject owner, string name, JsonObject schema)
    {
        if (owner["required"] is JsonArray required && required.Any(key => key!.GetValue<string>() == name)) return "**required**";
        if (HasKeys(schema) || !schema.ContainsKey("default")) return string.Empty;
        return schema["default"] is { } value ? Code(value) : "–";
    }

    private static string Code(JsonNode? value)
    {
        var isText = value?.GetValueKind() == JsonValueKind.String;
        return $"`{(isText ? value!.GetValue<string>().Replace("\n", "\\n", StringComparison.Ordinal) : value?.ToJsonString())}`";
    }

    private static string Escaped(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
