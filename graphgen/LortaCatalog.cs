using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;

namespace LoRTA.Onnx.GraphGen;

/// <summary>What training can choose from: the adapter families. Those of a user's own are added by value.</summary>
/// <remarks>Immutable: <c>With</c> gives another catalog, and two of them in one process know nothing of each other.</remarks>
public sealed record LortaCatalog
{
    private LortaCatalog(IReadOnlyList<AdapterFamilyEntry> families) => Families = families;

    /// <summary>What comes with this project.</summary>
    public static LortaCatalog Default { get; } = new(AdapterFamilies.All);

    /// <summary>The adapter families, in the order of help and messages.</summary>
    public IReadOnlyList<AdapterFamilyEntry> Families { get; }

    /// <summary>This catalog with one more family.</summary>
    /// <exception cref="ArgumentException">There is one of this name.</exception>
    public LortaCatalog With(AdapterFamilyEntry family)
    {
        if (this.FamilyOf(family.Method) is not null) throw Taken(nameof(family), family.Method);
        return new([.. Families, family]);
    }

    private static ArgumentException Taken(string kind, string name) => new($"The catalog has a {kind} '{name}' already.", kind);
}
