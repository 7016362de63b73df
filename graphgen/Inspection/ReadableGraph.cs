using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen.Inspection;

/// <summary>The canonical graph for a reader (in Netron): nodes and values named after their modules, the linear layers of attention
/// marked, types and shapes stated.</summary>
public static class ReadableGraph
{
    /// <summary>Metadata of a node that applies the weights of sites.</summary>
    public const string SiteKey = "lorta.site";

    /// <summary>Names what the exporter numbered (<c>node_linear_7</c>), and marks what was found.</summary>
    /// <param name="canonical">The graph; its names are changed, its inputs and outputs are not.</param>
    /// <param name="map">What was found in it.</param>
    public static OnnxModel Of(CanonicalModel canonical, AttentionMap map)
    {
        var graph = canonical.Model.Graph;
        foreach (var sites in map.Layers.SelectMany(layer => layer.Sites).GroupBy(site => site.Product.Producer!))
            sites.Key.Metadata[SiteKey] = string.Join(", ", sites.Select(site => site.Address));
        var taken = graph.Nodes.Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var node in graph.Nodes) Name(graph, node, taken);
        graph.IsDeclared = true;
        return canonical.Model;
    }

    private static void Name(Graph graph, Node node, HashSet<string> taken)
    {
        if (ModuleScope.Noted(node.Source ?? node) is not { } module) return;
        var plain = $"/{module.Replace('.', '/')}/{node.OpType}";
        node.Name = plain;
        for (var i = 1; !taken.Add(node.Name); i++) node.Name = $"{plain}_{i}";
        foreach (var output in node.Outputs.OfType<Value>().Where(output => !graph.IsOutput(output)))
            graph.Rename(output, $"{node.Name}_output");
    }
}
