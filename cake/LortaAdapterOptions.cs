namespace Cake.LoRTA;

/// <summary>What an adapter is, for verbs without a recipe; what is not set is as in <c>lorta</c>.</summary>
public sealed class LortaAdapterOptions
{
    /// <summary>Adapter family, for instance <c>lorta</c> (the default) or <c>lora</c>.</summary>
    public string? Method { get; set; }

    /// <summary>Rank r.</summary>
    public int? Rank { get; set; }

    /// <summary>Numerator of the scale α/r.</summary>
    public double? Alpha { get; set; }

    /// <summary>Adapted matrices, for instance q and v; empty = the family's own choice.</summary>
    public ICollection<string> Targets { get; } = [];

    /// <summary>Adapted layers: <c>all</c>, or indices and ranges such as <c>0,2-5</c>.</summary>
    public string? Layers { get; set; }

    /// <summary>The family's own options by name.</summary>
    public IDictionary<string, string> Options { get; } = new OrderedDictionary<string, string>(StringComparer.Ordinal);

    internal void AddTo(LortaArguments arguments)
    {
        arguments.Value("--method", Method);
        arguments.Number("--rank", Rank);
        arguments.Number("--alpha", Alpha);
        arguments.Words("--targets", Targets);
        arguments.Value("--layers", Layers);
        arguments.Pairs("--option", Options);
    }
}
