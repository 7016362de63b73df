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
public sealed record Architecture(int Hidden, int Heads, int KvHeads, int HeadWidth, int Layers, int? Vocab = null)
{
    /// <summary>The sizes of a model.</summary>
    /// <exception cref="LortaException">LRT201: no attention; LRT204: none that was understood.</exception>
    public static Architecture Of(UnderstoodModel model)
    {
        var (map, path) = (model.Map, model.Deployed.Path);
        if (map.Layers.Count == 0)
            throw map.HasAttention ? DiscoveryErrors.NotUnderstood(path, map.Findings) : DiscoveryErrors.NoAttention(path);
        return new Architecture(
            map.Hidden, map.Heads, map.KvHeads, map.HeadWidth, map.Layers.Count, TokenEmbedding.Vocabulary(model.Deployed));
    }

    /// <summary>Input and output width of a matrix of the attention.</summary>
    internal (int In, int Out) Linear(string matrix) => matrix switch
    {
        "q" => (Hidden, Heads * HeadWidth),
        "k" or "v" => (Hidden, KvHeads * HeadWidth),
        _ => (Heads * HeadWidth, Hidden),
    };

    /// <summary>Heads of a matrix of the attention; null of others.</summary>
    internal int? HeadsOf(string matrix) => matrix switch
    {
        "k" or "v" => KvHeads,
        "q" or "p" => Heads,
        _ => null,
    };

    /// <summary>Whether all sizes are positive.</summary>
    internal bool IsSensible => Hidden > 0 && Heads > 0 && KvHeads > 0 && HeadWidth > 0 && Layers > 0 && Vocab is null or > 0;

    /// <summary>The sizes in words, for messages.</summary>
    internal string Describe() => $"width {Hidden}, {Heads} heads ({KvHeads} for keys and values) of {HeadWidth}, {Layers} layers";
}
