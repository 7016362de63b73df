using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;

namespace LoRTA.Onnx.GraphGen.Adapters.Planning;

/// <summary>The sizes of a transformer that adapters depend on.</summary>
/// <param name="Hidden">Model width d.</param>
/// <param name="Heads">Query heads H.</param>
/// <param name="KvHeads">Key/value heads; H without grouped queries.</param>
/// <param name="HeadWidth">Width d_H of one head.</param>
/// <param name="Layers">Layers L.</param>
/// <param name="Vocab">Rows of the token embedding, where known.</param>
/// <param name="Ffn">Width of the MLP; null where it is not known. Adapters that leave the MLP alone do not state it.</param>
public sealed record Architecture(
    int Hidden,
    int Heads,
    int KvHeads,
    int HeadWidth,
    int Layers,
    int? Vocab = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Ffn = null)
{
    /// <summary>Whether the MLP has a gate; null where that is not known.</summary>
    [JsonIgnore]
    public bool? IsGated { get; init; }

    /// <summary>Whether keys carry a rotary embedding; null where that is not known.</summary>
    [JsonIgnore]
    public bool? HasRotatedKeys { get; init; }

    /// <summary>That of a model whose attention was not understood, or that has none.</summary>
    internal static Architecture Unknown { get; } = new(0, 0, 0, 0, 0);

    /// <summary>The sizes of a model.</summary>
    /// <exception cref="LortaException">LRT201: no attention; LRT204: none that was understood.</exception>
    public static Architecture Of(UnderstoodModel model)
    {
        var (map, path) = (model.Map, model.Deployed.Path);
        if (map.Layers.Count == 0)
            throw map.HasAttention ? DiscoveryErrors.NotUnderstood(path, map.Findings) : DiscoveryErrors.NoAttention(path);
        return OrUnknown(model);
    }

    /// <summary>The sizes of a model, whether or not it has attention that was understood.</summary>
    internal static Architecture OrUnknown(UnderstoodModel model)
    {
        var map = model.Map;
        if (map.Layers.Count == 0) return Unknown;
        return new Architecture(
            map.Hidden, map.Heads, map.KvHeads, map.HeadWidth, map.Layers.Count, TokenEmbedding.Vocabulary(model.Deployed), map.Ffn)
        {
            IsGated = map.IsGated,
            HasRotatedKeys = map.HasRotatedKeys,
        };
    }

    /// <summary>Input and output width of a matrix; null where they are not known.</summary>
    internal (int In, int Out)? Linear(string matrix) => matrix switch
    {
        "q" => (Hidden, Heads * HeadWidth),
        "k" or "v" => (Hidden, KvHeads * HeadWidth),
        "p" => (Heads * HeadWidth, Hidden),
        "down" => Ffn is { } width ? (width, Hidden) : null,
        _ => Ffn is { } width ? (Hidden, width) : null,
    };

    /// <summary>Heads of a matrix of the attention; null of others.</summary>
    internal int? HeadsOf(string matrix) => matrix switch
    {
        "k" or "v" => KvHeads,
        "q" or "p" => Heads,
        _ => null,
    };

    /// <summary>Whether all sizes are positive.</summary>
    internal bool IsSensible => Hidden > 0 && Heads > 0 && KvHeads > 0 && HeadWidth > 0 && Layers > 0 && Vocab is null or > 0
        && Ffn is null or > 0;

    /// <summary>Whether a model may be the one that these sizes are of: the vocabulary may have grown, and what one side does not know
    /// fits.</summary>
    internal bool Fits(Architecture model) =>
        this == Unknown
        || model == Unknown
        || this with
        {
            Vocab = model.Vocab,
            Ffn = model.Ffn is null ? null : Ffn ?? model.Ffn,
            IsGated = model.IsGated,
            HasRotatedKeys = model.HasRotatedKeys,
        }
        == model;

    /// <summary>The sizes in words, for messages.</summary>
    internal string Describe() => $"width {Hidden}, {Heads} heads ({KvHeads} for keys and values) of {HeadWidth}, {Layers} layers"
        + (Ffn is { } width ? $", MLP of {width}" : string.Empty);
}
