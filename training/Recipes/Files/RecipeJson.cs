using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>The one description of the option records that reading, checking, writing and the schemas share.</summary>
internal static class RecipeJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
        Converters = { new OptionsConverter() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutIgnored } },
    };

    public static JsonObject ToNode(Recipe recipe) => JsonSerializer.SerializeToNode(recipe, Options)!.AsObject();

    /// <summary>The attributes that a property carries.</summary>
    public static IEnumerable<T> Attributes<T>(this JsonPropertyInfo property)
        where T : Attribute => property.AttributeProvider?.GetCustomAttributes(typeof(T), inherit: true).Cast<T>() ?? [];

    // What is no key of a recipe is listed all the same, without a getter.
    private static void LeaveOutIgnored(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(property => property.Get is null).ToList()) type.Properties.Remove(property);
    }

    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
