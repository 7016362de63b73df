using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen;

/// <summary>The attention of a model: its layers in the order of the data, and the linear layers of each: four of attention, two or three
/// of the MLP behind or beside it.</summary>
public sealed record AttentionMap
{
    /// <summary>Model width d.</summary>
    public required int Hidden { get; init; }

    /// <summary>Query heads H.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads; H without grouped queries.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Width d_H of one head.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Width of the MLP, the input of its last linear layer; null where no MLP was understood.</summary>
    public int? Ffn { get; init; }

    /// <summary>Whether the MLP has a gate; null where no MLP was understood.</summary>
    internal bool? IsGated => Layers.FirstOrDefault(layer => layer.Down is not null) is { } layer ? layer.Gate is not null : null;

    /// <summary>Whether keys carry the rotation of their position; null where no keys were understood.</summary>
    internal bool? HasRotatedKeys => Layers.Select(layer => layer.K).OfType<Projection>().ToList() is [_, ..] keys
        ? keys.Exists(key => key.Forms.Contains(ProjectionWalk.RotaryEmbedding))
        : null;

    /// <summary>Self-attention, in the order of the data.</summary>
    public required IReadOnlyList<AttentionLayer> Layers { get; init; }

    /// <summary>What was not understood, or was left alone.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Whether there is anything that looks like attention, understood or not.</summary>
    internal bool HasAttention { get; init; }

    /// <summary>How the file keeps its low-bit matrices, of attention or not, by the stored tensor.</summary>
    internal IReadOnlyDictionary<string, BlockLayout> Codes { get; init; } = new Dictionary<string, BlockLayout>(StringComparer.Ordinal);

    /// <summary>The stored tensors whose numbers the file scales on the way to where they are applied.</summary>
    internal IReadOnlySet<string> Scaled { get; init; } = new HashSet<string>();

    /// <summary>Finds the attention of a model by its structure. What does not fit is a finding.</summary>
    /// <param name="model">The model as its exporter wrote it; it is not changed.</param>
    /// <exception cref="LortaException">LRT121: inconsistent shapes; LRT203: an operator that cannot be brought to the canonical
    /// opset.</exception>
    public static AttentionMap Of(OnnxModel model) => Of(CanonicalModel.Of(model));

    /// <summary>Reads the attention off a canonical graph. What does not fit is a finding.</summary>
    internal static AttentionMap Of(CanonicalModel model) => new LayerReader(model).Read();

    /// <summary>The same attention in a copy of its graph.</summary>
    internal AttentionMap CopyIn(ModelCopy copy) => this with
    {
        Layers = [.. Layers.Select(layer => layer with
        {
            Q = layer.Q?.CopyIn(copy),
            K = layer.K?.CopyIn(copy),
            V = layer.V?.CopyIn(copy),
            P = layer.P?.CopyIn(copy),
            Gate = layer.Gate?.CopyIn(copy),
            Up = layer.Up?.CopyIn(copy),
            Down = layer.Down?.CopyIn(copy),
            Core = layer.Core?.CopyIn(copy),
        })],
    };

    /// <summary>The site of an address such as <c>layers.3.q</c>.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="matrix">q, k, v, p, gate, up or down.</param>
    /// <exception cref="LortaException">LRT204: there is no such site, or it was not understood.</exception>
    public Projection Site(int layer, string matrix) =>
        (layer < Layers.Count ? Layers[layer][matrix] : null) ?? throw DiscoveryErrors.NoSite($"layers.{layer}.{matrix}", Findings);
}

/// <summary>One self-attention and its MLP; a matrix that is not there is null, and so is one that was not understood, which has a
/// finding.</summary>
/// <param name="Index">Position in the order of the data.</param>
public sealed record AttentionLayer(int Index)
{
    /// <summary>Queries.</summary>
    public Projection? Q { get; init; }

    /// <summary>Keys.</summary>
    public Projection? K { get; init; }

    /// <summary>Values.</summary>
    public Projection? V { get; init; }

    /// <summary>Output projection.</summary>
    public Projection? P { get; init; }

    /// <summary>The linear layer of the MLP that the activation follows, where another one is multiplied with the result; null in an MLP
    /// without gate.</summary>
    public Projection? Gate { get; init; }

    /// <summary>The linear layer of the MLP that makes what goes into <see cref="Down"/>.</summary>
    public Projection? Up { get; init; }

    /// <summary>The linear layer of the MLP whose result joins the stream of hidden states.</summary>
    public Projection? Down { get; init; }

    /// <summary>The attention itself; null where a layer is left alone.</summary>
    internal AttentionCore? Core { get; init; }

    /// <summary>A site by its name.</summary>
    public Projection? this[string matrix] => matrix switch
    {
        "q" => Q,
        "k" => K,
        "v" => V,
        "p" => P,
        "gate" => Gate,
        "up" => Up,
        "down" => Down,
        _ => null,
    };

    /// <summary>The sites that were understood.</summary>
    public IEnumerable<Projection> Sites => new[] { Q, K, V, P, Gate, Up, Down }.OfType<Projection>();
}
