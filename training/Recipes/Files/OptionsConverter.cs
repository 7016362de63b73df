using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>A family's options, which are texts: numbers and truth values that read back as the same text are written as such.</summary>
internal sealed class OptionsConverter : JsonConverter<IReadOnlyDictionary<string, string>>
{
    public override IReadOnlyDictionary<string, string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var value = JsonElement.ParseValue(ref reader);
        return value.ValueKind is JsonValueKind.Object
            ? value.EnumerateObject().ToDictionary(pair => pair.Name, pair => Text(pair.Value), StringComparer.Ordinal)
            : throw new JsonException("must hold keys");
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, text) in value)
        {
            writer.WritePropertyName(name);
            if (text is "true" or "false") writer.WriteBooleanValue(text == "true");
            else if (YamlScalars.TryNumber(text, out var number) && Text(number) == text) writer.WriteNumberValue(number);
            else writer.WriteStringValue(text);
        }
        writer.WriteEndObject();
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => Text(value.GetDouble()),
        _ => value.GetRawText(),
    };

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
