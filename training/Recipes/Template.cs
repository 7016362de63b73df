using System.Text.Json;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>How a row becomes text: one text with {column} holes, or prompt and completion apart.</summary>
/// <param name="Prompt">The part that is read but not learned; empty for a plain text.</param>
/// <param name="Completion">The part that is learned.</param>
[JsonConverter(typeof(Converter))]
[Spelling("""
    {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "object",
     "properties": {"prompt": {"type": "string"}, "completion": {"type": "string"}},
     "required": ["prompt", "completion"], "additionalProperties": false}]}
    """)]
public sealed record Template(string Prompt, string Completion)
{
    private sealed class Converter : JsonConverter<Template>
    {
        public override Template Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var value = JsonElement.ParseValue(ref reader);
            if (value.ValueKind is JsonValueKind.String) return new Template(string.Empty, value.GetString()!);
            if (value.ValueKind is JsonValueKind.Object && value.EnumerateObject().Count() == 2
                && value.TryGetProperty("prompt", out var prompt) && prompt.ValueKind is JsonValueKind.String
                && value.TryGetProperty("completion", out var completion) && completion.ValueKind is JsonValueKind.String)
                return new Template(prompt.GetString()!, completion.GetString()!);
            throw new JsonException("must be a text with {column} holes, or { prompt: …, completion: … }");
        }

        public override void Write(Utf8JsonWriter writer, Template value, JsonSerializerOptions options)
        {
            if (value.Prompt.Length == 0)
            {
                writer.WriteStringValue(value.Completion);
                return;
            }
            writer.WriteStartObject();
            writer.WriteString("prompt", value.Prompt);
            writer.WriteString("completion", value.Completion);
            writer.WriteEndObject();
        }
    }
}
