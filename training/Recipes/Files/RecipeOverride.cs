using System.Globalization;
using LoRTA.Onnx.GraphGen;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LoRTA.Onnx.Training.Recipes.Files;

/// <summary>A setting of the command line, <c>path.to.key=value</c>, put into the YAML tree before it is read.</summary>
internal static class RecipeOverride
{
    private const int MostKeys = 32;

    // Values that are paths. In a recipe they start at its folder, on the command line at the current one, as a shell completes them.
    private static readonly string[] Paths = ["model", "tokenizer", "output", "data.train", "data.validation"];

    /// <summary>Puts the setting into the tree; elements of lists have their index as key, paths start at the current folder. What the
    /// recipe says of the same thing by another key gives way.</summary>
    /// <param name="root">The recipe.</param>
    /// <param name="setting">The setting.</param>
    /// <param name="earlier">The nodes that come from other settings, which stay.</param>
    /// <returns>The nodes that come from the setting.</returns>
    /// <exception cref="LortaException">LRT552: no setting.</exception>
    public static IEnumerable<YamlNode> Apply(YamlMappingNode root, string setting, IReadOnlySet<YamlNode> earlier)
    {
        var split = setting.IndexOf('=', StringComparison.Ordinal);
        var keys = split > 0 ? setting[..split].Trim().Split('.') : [];
        if (keys.Length == 0 || keys.Any(string.IsNullOrWhiteSpace)) throw RecipeErrors.NotASetting(setting, "has no key");
        if (keys.Length > MostKeys) throw RecipeErrors.NotASetting(setting[..split], "is nested too deeply");
        var value = Rooted(string.Join('.', keys), Parse(setting, setting[(split + 1)..]));

        YamlNode node = root;
        foreach (var key in keys[..^1]) node = Child(node, key, setting);
        Place(node, keys[^1], value, setting);
        if (node is YamlMappingNode group && !(value is YamlScalarNode scalar && YamlScalars.IsNull(scalar.Value)))
            RemoveAlternative(group, string.Join('.', keys), earlier);
        return value.AllNodes;
    }

    // Both keys of a pair are in one group.
    private static void RemoveAlternative(YamlMappingNode group, string key, IReadOnlySet<YamlNode> earlier)
    {
        foreach (var (one, other, _) in RecipeRules.Alternatives)
        {
            if (key != one && key != other) continue;
            var name = new YamlScalarNode((key == one ? other : one).Split('.')[^1]);
            if (group.Children.TryGetValue(name, out var value) && !earlier.Contains(value)) group.Children.Remove(name);
        }
    }

    private static YamlNode Rooted(string key, YamlNode value)
    {
        if (value is YamlScalarNode { Value.Length: > 0 } scalar && Paths.Contains(key) && !YamlScalars.IsNull(scalar.Value)
            && !scalar.Value.Contains('\0', StringComparison.Ordinal))   // said by the rules
            scalar.Value = Path.GetFullPath(scalar.Value);
        else if (value is YamlMappingNode mapping)
            foreach (var (name, child) in mapping.Children) Rooted($"{key}.{(name as YamlScalarNode)?.Value}", child);
        return value;
    }

    // A key that is absent or null becomes a group of keys.
    private static YamlNode Child(YamlNode node, string key, string setting)
    {
        var child = node switch
        {
            YamlMappingNode mapping => mapping.Children.TryGetValue(key, out var found) ? found : null,
            YamlSequenceNode sequence => sequence.Children[Index(sequence, key, setting)],
            _ => throw RecipeErrors.NotASetting(setting, $"'{key}' is inside a plain value"),
        };
        if (child is not (null or YamlScalarNode)) return child;
        if (child is YamlScalarNode scalar && !YamlScalars.IsNull(scalar.Value))
            throw RecipeErrors.NotASetting(setting, $"'{key}' is a plain value");
        var group = new YamlMappingNode();
        Place(node, key, group, setting);
        return group;
    }

    private static void Place(YamlNode node, string key, YamlNode value, string setting)
    {
        if (node is YamlMappingNode mapping) mapping.Children[new YamlScalarNode(key)] = value;
        else if (node is YamlSequenceNode sequence) sequence.Children[Index(sequence, key, setting)] = value;
        else throw RecipeErrors.NotASetting(setting, $"'{key}' is inside a plain value");
    }

    private static int Index(YamlSequenceNode sequence, string key, string setting) =>
        int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < sequence.Children.Count
            ? index
            : throw RecipeErrors.NotASetting(setting, $"'{key}' is not an index into a list of {sequence.Children.Count}");

    private static YamlNode Parse(string setting, string text)
    {
        try
        {
            var documents = YamlTree.Read(new StringReader(text));
            if (documents.Count > 1) throw RecipeErrors.NotASetting(setting, "the value holds several documents");
            return documents is [var document] ? document.RootNode : new YamlScalarNode(string.Empty) { Style = ScalarStyle.Plain };
        }
        catch (YamlException e)
        {
            throw RecipeErrors.NotASetting(setting, $"the value is not YAML ({e.Message.TrimEnd('.')})");
        }
    }
}
