using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>A family's options, which are texts: numbers and truth values are written as such.</summary>
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
            JsonSerializer.Serialize(writer, YamlScalars.ToJson(new YamlScalarNode(text)), options);
        }
        writer.WriteEndObject();
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => value.GetDouble().ToString(CultureInfo.InvariantCulture),
        _ => value.GetRawText(),
    };
}
