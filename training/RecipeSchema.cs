using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.Training.Recipes.Files;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training;

/// <summary>JSON schemas of recipes and of their sections: types, descriptions, choices, ranges and defaults, all from the
/// records.</summary>
public static class RecipeSchema
{
    /// <summary>The schema of a recipe file.</summary>
    /// <param name="catalog">What there is to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    public static JsonObject Recipe(LortaCatalog? catalog = null) =>
        Of<Recipe>("LoRTA.Onnx recipe", catalog ?? LortaCatalog.Default);

    /// <summary>The schema of a recipe's <c>adapter</c> section.</summary>
    /// <param name="catalog">What there is to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    public static JsonObject Adapter(LortaCatalog? catalog = null) =>
        Of<AdapterOptions>("LoRTA.Onnx adapter options", catalog ?? LortaCatalog.Default);

    /// <summary>The keys that a name with a value is most likely meant to be, such as <c>train.optimizer.lr</c> for
    /// <c>learning_rate</c>; none where nothing is like it.</summary>
    /// <param name="name">The name, however its words are separated.</param>
    public static IReadOnlyList<string> KeysMeant(string name) => RecipeKeys.MeantWithValue(name);

    /// <summary>The schema of any option record.</summary>
    internal static JsonObject Of<T>(string title, LortaCatalog catalog)
    {
        var exporter = new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) => Transform(context, node, catalog),
        };
        var schema = RecipeJson.Options.GetJsonSchemaAsNode(typeof(T), exporter).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", title);
        return schema;
    }

    private static JsonNode Transform(JsonSchemaExporterContext context, JsonNode node, LortaCatalog catalog)
    {
        var type = context.TypeInfo.Type;
        if (type.GetCustomAttribute<SpellingAttribute>() is { } spelling) node = JsonNode.Parse(spelling.Schema)!;
        if (type == typeof(IReadOnlyDictionary<string, string>)) node = FamilyOptions(catalog);
        if (node is not JsonObject schema) return node;
        if (type.GetCustomAttribute<DescriptionAttribute>() is { } about && !schema.ContainsKey("description"))
            schema.Insert(0, "description", about.Description);
        if (context.PropertyInfo is not { } property) return schema;

        foreach (var attribute in property.Attributes<Attribute>()) Annotate(schema, attribute, catalog);
        if (!property.IsRequired) schema["default"] = Default(property);
        return schema;
    }

    private static JsonObject FamilyOptions(LortaCatalog catalog) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(catalog.Families.SelectMany(family => family.Options).DistinctBy(option => option.Name)
            .Select(option => KeyValuePair.Create(option.Name, (JsonNode?)Schema(option)))),
    };

    private static JsonObject Schema(FamilyOption option)
    {
        var values = option.Values.Select(value => YamlScalars.ToJson(new YamlScalarNode(value))).ToArray();
        var schema = new JsonObject { ["description"] = option.Description };
        if (values.Length > 0) (schema["enum"], schema["default"]) = (new JsonArray(values), values[0]!.DeepClone());
        else if (option is { SchemaType: { } type, Default: { } number })
            (schema["type"], schema["default"]) = (type, YamlScalars.ToJson(new YamlScalarNode(number)));
        return schema;
    }

    // Choices and ranges of a list are those of its elements.
    private static void Annotate(JsonObject schema, Attribute attribute, LortaCatalog catalog)
    {
        var element = schema["items"] as JsonObject ?? schema;
        switch (attribute)
        {
            case DescriptionAttribute description:
                schema.Remove("description");
                schema.Insert(0, "description", description.Description);
                break;
            case ChoiceAttribute choice:
                JsonNode?[] words = [.. choice.WordsOf(catalog).Select(word => JsonValue.Create(word))];
                element["enum"] = new JsonArray(element["type"] is JsonArray ? [.. words, null] : words);   // type: [string, null]
                break;
            case RangeAttribute range:
                element[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = Number(range.Minimum);
                if (Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture) is < int.MaxValue and var maximum)
                    element[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = Number(maximum);
                break;
            case LengthAttribute length:
                (schema["minItems"], schema["maxItems"]) = (length.MinimumLength, length.MaximumLength);
                break;
            case RegularExpressionAttribute pattern:
                schema["pattern"] = $"^({pattern.Pattern})$";
                break;
        }
    }

    private static JsonValue Number(object value) => JsonValue.Create(Convert.ToDecimal(value, CultureInfo.InvariantCulture));

    private static JsonNode? Default(JsonPropertyInfo property)
    {
        var owner = RecipeJson.Options.GetTypeInfo(property.DeclaringType).CreateObject!();
        return JsonSerializer.SerializeToNode(property.Get!(owner), property.PropertyType, RecipeJson.Options);
    }
}
