using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Fuzz.Tests.Mutations;

/// <summary>JSON texts with one value changed, gone, given twice, or of another kind.</summary>
internal static class JsonMutations
{
    /// <summary>Changes one place of a document and gives its text.</summary>
    public static string Apply(JsonNode root, SeededRandom random)
    {
        var at = random.Of(Below(root, 0).ToList());
        var text = random.NextIndex(10) switch
        {
            0 => "null",
            1 => random.Of(Choices.Extremes).ToString(System.Globalization.CultureInfo.InvariantCulture),
            2 => $"\"{random.Of<string>(["", "x", "../x", "é", "NaN"])}\"",
            3 => "[]",
            4 => "{}",
            5 => "[null]",
            6 => $"{new string('[', 200)}{new string(']', 200)}",
            7 => "1e400",
            8 => "true",
            _ => string.Empty,   // gone
        };
        var mark = "\u0001place\u0001";
        if (text.Length == 0 || at.Parent is null)
        {
            if (at.Parent is JsonObject owner) owner.Remove(at.GetPropertyName());
            else if (at.Parent is JsonArray list) list.RemoveAt(at.GetElementIndex());
            return root.ToJsonString();
        }
        if (at.Parent is JsonObject parent && random.Chance(0.1)) return root.ToJsonString().Replace($"\"{at.GetPropertyName()}\":", $"\"{at.GetPropertyName()}\":{text},\"{at.GetPropertyName()}\":", StringComparison.Ordinal);
        at.ReplaceWith(mark);
        return root.ToJsonString().Replace("\"\\u0001place\\u0001\"", text, StringComparison.Ordinal);
    }

    // Long lists all look alike: a few of their items are enough.
    private static IEnumerable<JsonNode> Below(JsonNode node, int depth)
    {
        if (depth > 0) yield return node;
        var children = node switch
        {
            JsonObject map => map.Select(pair => pair.Value).OfType<JsonNode>().Take(60),
            JsonArray list => list.OfType<JsonNode>().Take(3),
            _ => [],
        };
        foreach (var below in children.SelectMany(child => Below(child, depth + 1))) yield return below;
    }
}
