using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>What makes two recipes the same run: every option but paths, output and device.</summary>
/// <param name="Text">The options as JSON with sorted keys.</param>
internal sealed record RecipeIdentity(string Text)
{
    /// <summary>SHA-256 of <see cref="Text"/>, in lower-case hexadecimal digits.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    public static RecipeIdentity Of(Recipe recipe)
    {
        var node = RecipeJson.ToNode(recipe with { Adapter = recipe.Adapter with { From = null } });   // a path; the options follow from it
        RemoveOutside(node, RecipeJson.Options.GetTypeInfo(typeof(Recipe)));
        return new(Sorted(node)!.ToJsonString());
    }

    /// <summary>The keys whose values differ, with both values; ordered by key.</summary>
    public static IReadOnlyList<RecipeDifference> DifferingKeys(RecipeIdentity before, RecipeIdentity now)
    {
        var (old, current) = (Flat(before.Text), Flat(now.Text));
        return
        [
            .. from key in old.Keys.Union(current.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal)
               let pair = (Before: old.GetValueOrDefault(key, "absent"), Now: current.GetValueOrDefault(key, "absent"))
               where pair.Before != pair.Now
               select new RecipeDifference(key, pair.Before, pair.Now),
        ];
    }

    /// <summary>Whether this is a longer run of the same kind: of all keys only steps or epochs differ, and they are more.</summary>
    public bool Extends(RecipeIdentity before) =>
        DifferingKeys(before, this) is { Count: > 0 } differences && differences.All(difference =>
            difference.Key is "train.steps" or "train.epochs"
            && long.TryParse(difference.Before, CultureInfo.InvariantCulture, out var less)
            && long.TryParse(difference.Now, CultureInfo.InvariantCulture, out var more) && more > less);

    private static void RemoveOutside(JsonObject node, JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.Attributes<OutsideIdentityAttribute>().Any()) node.Remove(property.Name);
            else if (node[property.Name] is JsonObject child) RemoveOutside(child, RecipeJson.Options.GetTypeInfo(property.PropertyType));
        }
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject keys =>
            new JsonObject(keys.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private static SortedDictionary<string, string> Flat(string text)
    {
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(text);
        Flatten(document.RootElement, string.Empty, result);
        return result;
    }

    private static void Flatten(JsonElement element, string path, SortedDictionary<string, string> result)
    {
        if (element.ValueKind is not JsonValueKind.Object || !element.EnumerateObject().Any()) result[path] = element.GetRawText();
        else foreach (var property in element.EnumerateObject()) Flatten(property.Value, RecipeJson.Join(path, property.Name), result);
    }
}

/// <summary>A key on which two recipes differ.</summary>
internal sealed record RecipeDifference(string Key, string Before, string Now);
