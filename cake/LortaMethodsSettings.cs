namespace Cake.LoRTA;

/// <summary>Options of <c>lorta methods</c>: for a model, or for the sizes of one.</summary>
public sealed class LortaMethodsSettings : LortaSettings
{
    /// <summary>Model width; with <see cref="Heads"/> and <see cref="Layers"/> in place of a model.</summary>
    public int? Width { get; set; }

    /// <summary>Query heads.</summary>
    public int? Heads { get; set; }

    /// <summary>Layers.</summary>
    public int? Layers { get; set; }

    /// <summary>Key/value heads; null = as many as query heads.</summary>
    public int? KvHeads { get; set; }

    /// <summary>Width of the MLP, for the targets gate, up and down.</summary>
    public int? Ffn { get; set; }

    /// <summary>Size of the vocabulary.</summary>
    public int? Vocab { get; set; }

    /// <summary>Adapted matrices, for instance q and v; empty = the family's own choice.</summary>
    public ICollection<string> Targets { get; } = [];

    /// <summary>Rank; null = 8.</summary>
    public int? Rank { get; set; }

    /// <summary>The families' own options by name; families that do not have one ignore it.</summary>
    public IDictionary<string, string> Options { get; } = new OrderedDictionary<string, string>(StringComparer.Ordinal);

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Number("--width", Width);
        arguments.Number("--heads", Heads);
        arguments.Number("--layers", Layers);
        arguments.Number("--kv-heads", KvHeads);
        arguments.Number("--ffn", Ffn);
        arguments.Number("--vocab", Vocab);
        arguments.Words("--targets", Targets);
        arguments.Number("--rank", Rank);
        arguments.Pairs("--option", Options);
    }
}
