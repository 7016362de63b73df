using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Scalars of YAML 1.2's core schema: what an unquoted word means, and when a text must be quoted.</summary>
internal static class YamlScalars
{
    public static bool IsNull(string? text) => text is null or "" or "~" or "null" or "Null" or "NULL";

    public static bool TryInteger(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    /// <summary>A finite number; infinity and not-a-number fit no option.</summary>
    public static bool TryNumber(string text, out double value) =>
        double.TryParse(
            text,
            NumberStyles.Float & ~(NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite),
            CultureInfo.InvariantCulture,
            out value)
        && double.IsFinite(value);

    /// <summary>What a scalar means where nothing says what it should be.</summary>
    public static JsonNode? ToJson(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? string.Empty;
        if (scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any)) return JsonValue.Create(text);
        if (IsNull(text)) return null;
        if (text is "true" or "false") return JsonValue.Create(text == "true");
        if (TryInteger(text, out var integer)) return JsonValue.Create(integer);
        return TryNumber(text, out var number) ? JsonValue.Create(number) : JsonValue.Create(text);
    }

    public static YamlNode FromJson(JsonNode? node) => node switch
    {
        JsonObject keys => new YamlMappingNode(keys.SelectMany(pair => new[] { Text(pair.Key), FromJson(pair.Value) })),
        JsonArray list => new YamlSequenceNode(list.Select(FromJson)) { Style = YamlDotNet.Core.Events.SequenceStyle.Flow },
        null => new YamlScalarNode("null"),
        _ when node.GetValueKind() is JsonValueKind.String => Text(node.GetValue<string>()),
        _ => new YamlScalarNode(node.ToJsonString()),
    };

    private static YamlScalarNode Text(string text) => new(text)
    {
        Style = ToJson(new YamlScalarNode(text)) is JsonValue value && value.GetValueKind() is JsonValueKind.String && !text.Contains('\n')
            ? ScalarStyle.Any
            : ScalarStyle.DoubleQuoted,
    };
}
