using System.Text.Json.Nodes;
using LoRTA.Onnx.GraphGen.Inspection;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>The goldens of attention discovery, <c>sites.json</c> of each model.</summary>
internal static class SitesGolden
{
    /// <summary>What inspecting an export must give, at least.</summary>
    public static JsonObject Of(string export)
    {
        var (folder, key) = Exports.Split(export);
        return JsonNode.Parse(File.ReadAllText(Fixtures.Path("models", folder, "sites.json")))![key]!.AsObject();
    }

    /// <summary>An inspection as it is written.</summary>
    public static JsonObject Written(ModelInspection inspection) => inspection.ToJson();

    /// <summary>Each place of the golden where something else was found; keys that only the inspection has are no difference.</summary>
    public static IEnumerable<string> Differences(JsonObject golden, JsonObject found) => Differences(golden, found, string.Empty);

    private static IEnumerable<string> Differences(JsonNode? golden, JsonNode? found, string at) => (golden, found) switch
    {
        (JsonObject a, JsonObject b) => a.SelectMany(pair => Differences(pair.Value, b[pair.Key], $"{at}.{pair.Key}")),
        (JsonArray a, JsonArray b) when a.Count == b.Count => a.SelectMany((item, i) => Differences(item, b[i], $"{at}[{i}]")),
        _ when JsonNode.DeepEquals(golden, found) => [],
        _ => [$"{at}: expected {golden?.ToJsonString() ?? "null"}, found {found?.ToJsonString() ?? "null"}"],
    };
}
