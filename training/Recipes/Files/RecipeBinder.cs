using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>Turns YAML into JSON of the shape that an option record has, and collects everything that does not fit.</summary>
/// <remarks>Scalars are read as what the record wants: <c>labels: [0, 1]</c> are two texts, <c>rank: 8</c> is a number.</remarks>
internal sealed class RecipeBinder
{
    private const int MaxDepth = 32;   // an anchor may hold itself
    private readonly Dictionary<string, (string Text, int? Line)> _sources = new(StringComparer.Ordinal);
    private readonly IReadOnlySet<YamlNode> _overrides;
    private int _depth;

    public RecipeBinder(IReadOnlySet<YamlNode> overrides) => _overrides = overrides;

    public List<RecipeProblem> Problems { get; } = [];

    /// <summary>The problem with the line of its key, or of the nearest key around it.</summary>
    public RecipeProblem Locate(RecipeProblem problem)
    {
        for (var path = problem.Path; path.Length > 0; path = path[..Math.Max(0, path.LastIndexOf('.'))])
        {
            if (_sources.TryGetValue(path, out var source)) return problem with { Source = source.Text, Line = source.Line };
        }
        return problem;
    }

    public JsonNode? Bind(YamlNode node, JsonTypeInfo type, string path)
    {
        if (_depth == MaxDepth) return Report(path, "is nested too deeply");
        _depth++;
        var result = type.Kind switch
        {
            JsonTypeInfoKind.Object => BindObject(node, type, path),
            JsonTypeInfoKind.Enumerable => BindList(node, type, path),
            _ => BindValue(node, type, path),
        };
        _depth--;
        return result;
    }

    private JsonObject? BindObject(YamlNode node, JsonTypeInfo type, string path)
    {
        if (node is not YamlMappingNode mapping)
            return (JsonObject?)Report(
                path, $"must hold keys ({string.Join(", ", type.Properties.Select(property => property.Name))}), was {Display(node)}");
        var result = new JsonObject();
        foreach (var (name, value, key) in Entries(mapping, path))
        {
            if (type.Properties.FirstOrDefault(property => property.Name == name) is not { } property)
            {
                if (RecipeRules.NotYet.TryGetValue(key, out var sentence) && IsNull(value)) continue;
                Report(key, sentence ?? Unknown(name, value, path, type));
            }
            else if (!IsNull(value)) BindProperty(result, property, value, key);
            else if (property.IsSetNullable) result[name] = null;
            else Report(key, "must have a value");
        }
        foreach (var property in type.Properties.Where(property => property.IsRequired
            && !_sources.ContainsKey(RecipeJson.Join(path, property.Name))))
            Report(RecipeJson.Join(path, property.Name), "is missing");
        return result;
    }

    // What does not fit is left out, so that the rest can be checked too.
    private void BindProperty(JsonObject result, JsonPropertyInfo property, YamlNode value, string key)
    {
        var before = Problems.Count;
        var bound = Bind(value, RecipeJson.Options.GetTypeInfo(property.PropertyType), key);
        if (bound is not null || Problems.Count == before) result[property.Name] = bound;
    }

    private JsonArray? BindList(YamlNode node, JsonTypeInfo type, string path)
    {
        if (node is not YamlSequenceNode sequence) return (JsonArray?)Report(path, $"must be a list, was {Display(node)}");
        var element = RecipeJson.Options.GetTypeInfo(type.ElementType!);
        var result = new JsonArray();
        foreach (var (i, child) in sequence.Children.Index())
        {
            var place = $"{path}.{i}";
            Remember(place, child);
            result.Add(IsNull(child) ? Report(place, "must have a value") : Bind(child, element, place));
        }
        return result;
    }

    private JsonNode? BindValue(YamlNode node, JsonTypeInfo type, string path)
    {
        var text = (node as YamlScalarNode)?.Value ?? string.Empty;
        var scalar = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (scalar == typeof(string))
            return node is YamlScalarNode ? JsonValue.Create(text) : Report(path, $"must be a text, was {Display(node)}");
        if (scalar == typeof(bool))
            return text is "true" or "false"
                ? JsonValue.Create(text == "true")
                : Report(path, $"must be true or false, was {Display(node)}");
        if (scalar == typeof(double))
            return YamlScalars.TryNumber(text, out var number)
                ? JsonValue.Create(number)
                : Report(path, $"must be a number, was {Display(node)}");
        if (scalar == typeof(int) || scalar == typeof(long))
            return YamlScalars.TryInteger(text, out var integer)
                && (scalar == typeof(long) || integer is >= int.MinValue and <= int.MaxValue)
                ? JsonValue.Create(integer)
                : Report(path, $"must be a whole number, was {Display(node)}");
        return BindFree(node, type, path);
    }

    // A type with spellings of its own says itself what it takes.
    private JsonNode? BindFree(YamlNode node, JsonTypeInfo type, string path)
    {
        var value = Free(node, path);
        try
        {
            value.Deserialize(type);
            return value;
        }
        catch (JsonException e)
        {
            return Report(path, $"{e.Message}, was {Display(node)}");
        }
    }

    private JsonNode? Free(YamlNode node, string path)
    {
        if (_depth > MaxDepth) return Report(path, "is nested too deeply");
        _depth++;
        JsonNode? result = node switch
        {
            YamlMappingNode mapping =>
                new JsonObject(Entries(mapping, path).Select(entry => KeyValuePair.Create(entry.Name, Free(entry.Value, entry.Path)))),
            YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select((child, i) => Free(child, $"{path}.{i}"))]),
            _ => YamlScalars.ToJson((YamlScalarNode)node),
        };
        _depth--;
        return result;
    }

    private IEnumerable<(string Name, YamlNode Value, string Path)> Entries(YamlMappingNode mapping, string path)
    {
        foreach (var (keyNode, value) in mapping.Children)
        {
            var name = (keyNode as YamlScalarNode)?.Value ?? keyNode.ToString();
            var key = RecipeJson.Join(path, name);
            Remember(key, _overrides.Contains(value) ? value : keyNode);
            yield return (name, value, key);
        }
    }

    private void Remember(string path, YamlNode node) =>
        _sources[path] = _overrides.Contains(node)
            ? ("--set", null)
            : (string.Create(CultureInfo.InvariantCulture, $"line {node.Start.Line}"), (int)node.Start.Line);

    private JsonNode? Report(string path, string text)
    {
        Problems.Add(new(path, text));
        return null;
    }

    private static string Unknown(string name, YamlNode value, string section, JsonTypeInfo type)
    {
        var known = type.Properties.Select(property => property.Name).ToList();
        var meant = value is YamlScalarNode && !IsNull(value)
            ? RecipeKeys.MeantWithValue(name, section, known)
            : RecipeKeys.Meant(name, section, known);
        return meant.Count > 0
            ? $"unknown key; did you mean {string.Join(" or ", meant)}?"
            : $"unknown key; known are {string.Join(", ", known)}";
    }

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain } scalar && YamlScalars.IsNull(scalar.Value);

    private static string Display(YamlNode node) => node switch
    {
        YamlScalarNode scalar => IsNull(scalar) ? "null" : $"'{scalar.Value}'",
        YamlSequenceNode => "a list",
        _ => "a group of keys",
    };
}
