using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Adapted layers: all, or some by index. In YAML <c>all</c>, <c>[0, 2, 3]</c> or <c>0,2-5</c>.</summary>
[JsonConverter(typeof(Converter))]
[Spelling("""
    {"anyOf": [{"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "uniqueItems": true},
     {"type": "string", "pattern": "^(all|[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)$"}]}
    """)]
public sealed record LayerChoice
{
    private const int MostIndices = 200_000;

    private LayerChoice(IReadOnlyList<int>? indices) => Indices = indices;

    /// <summary>All layers of the model.</summary>
    public static LayerChoice All { get; } = new((IReadOnlyList<int>?)null);

    /// <summary>Ascending indices from 0; null = all layers.</summary>
    public IReadOnlyList<int>? Indices { get; }

    /// <summary>Some layers, by their indices from 0.</summary>
    public static LayerChoice Of(params IEnumerable<int> indices) => new([.. indices.Distinct().Order()]);

    /// <summary>Reads <c>all</c> or <c>0,2-5</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="choice">The layers; all where the text is neither.</param>
    public static bool TryParse(string text, out LayerChoice choice)
    {
        choice = All;
        if (text == "all") return true;
        var indices = new List<int>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !TryIndex(ends[0], out var first) || !TryIndex(ends[^1], out var last) || first > last) return false;
            indices.AddRange(Enumerable.Range(first, last - first + 1));
            if (indices.Count > MostIndices) return false;
        }
        choice = Of(indices);
        return true;
    }

    /// <summary>The choice as it is written: <c>all</c> or <c>0,2,3</c>.</summary>
    public override string ToString() => Indices is null ? "all" : string.Join(',', Indices);

    // Five digits: no model has more layers, and a typing error must not fill the memory.
    private static bool TryIndex(string text, out int index) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < 100_000;

    private sealed class Converter : JsonConverter<LayerChoice>
    {
        private const string Expected = "must be all or a list of layer indices such as [0, 2, 3]";

        public override LayerChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is JsonTokenType.StartArray)
            {
                JsonElement[] indices = [.. JsonElement.ParseValue(ref reader).EnumerateArray()];
                if (indices.Length > 0
                    && indices.All(index => index.ValueKind is JsonValueKind.Number && index.TryGetInt32(out var i) && i >= 0))
                    return Of(indices.Select(index => index.GetInt32()));
                throw new JsonException(Expected);
            }
            var text = reader.TokenType switch
            {
                JsonTokenType.Number => JsonElement.ParseValue(ref reader).GetRawText(),
                JsonTokenType.String => reader.GetString()!,
                _ => string.Empty,
            };
            return TryParse(text, out var choice) ? choice : throw new JsonException(Expected);
        }

        public override void Write(Utf8JsonWriter writer, LayerChoice value, JsonSerializerOptions options)
        {
            if (value.Indices is null)
            {
                writer.WriteStringValue("all");
                return;
            }
            writer.WriteStartArray();
            foreach (var index in value.Indices) writer.WriteNumberValue(index);
            writer.WriteEndArray();
        }
    }
}
