namespace LoRTA.Onnx.GraphGen;

/// <summary>The words that an option, or each element of a list, takes; <see cref="NotYet"/> are those that later versions will
/// take.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal class ChoiceAttribute(params string[] words) : Attribute
{
    /// <summary>The words, where a catalog decides about some of them.</summary>
    public virtual IReadOnlyList<string> WordsOf(LortaCatalog catalog) => words;

    public string[] NotYet { get; init; } = [];
}

/// <summary>The JSON schema of a type with several spellings in YAML.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
internal sealed class SpellingAttribute(string schema) : Attribute
{
    public string Schema { get; } = schema;
}
