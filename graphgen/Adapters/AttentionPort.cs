using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>The attention of a layer in a graph, where an adapter joins it.</summary>
/// <param name="Layer">Index of the layer.</param>
/// <param name="Core">Its operators.</param>
/// <param name="Heads">Query heads H.</param>
/// <param name="KvHeads">Key/value heads N.</param>
internal sealed record AttentionPort(int Layer, AttentionCore Core, int Heads, int KvHeads)
{
    /// <summary>The attention of the layers of a plan that acts there, in a canonical graph.</summary>
    /// <exception cref="LortaException">LRT204: a layer that was not understood.</exception>
    public static IReadOnlyList<AttentionPort> Of(AttentionMap map, AdapterPlan plan) => plan.Family.Targets.AreAttention
        ? [.. plan.Sites.All.Select(site => site.Layer).Distinct().Select(layer => Of(map, layer))]
        : [];

    private static AttentionPort Of(AttentionMap map, int layer)
    {
        var core = map.Layers[layer].Core ?? throw DiscoveryErrors.NoSite($"layers.{layer}.k", map.Findings);
        return new AttentionPort(layer, core, map.Heads, map.KvHeads);
    }
}
