using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Inlining;

/// <summary>All names of values and nodes in a stored model, so that what moves out of a function or a branch gets names of its
/// own.</summary>
internal sealed class NameTable
{
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _suffixes = new(StringComparer.Ordinal);

    /// <summary>The names of a graph and of all graphs inside it.</summary>
    public NameTable(GraphProto graph)
    {
        _used.UnionWith(graph.Input.Select(input => input.Name));
        _used.UnionWith(graph.Node.Select(node => node.Name));
        _used.UnionWith(DefinedIn(graph));
    }

    /// <summary>What the bodies inside the nodes of a graph, and the graph itself, define: initializers, inputs of bodies, outputs of
    /// nodes.</summary>
    public static IEnumerable<string> DefinedIn(GraphProto graph) =>
        graph.Initializer.Select(tensor => tensor.Name).Concat(DefinedIn(graph.Node));

    /// <summary>What nodes and the graphs inside them define.</summary>
    public static IEnumerable<string> DefinedIn(IEnumerable<NodeProto> nodes) => nodes.SelectMany(node =>
        node.Output.Where(name => name.Length > 0)
            .Concat(Subgraphs(node).SelectMany(graph => graph.Input.Select(input => input.Name).Concat(DefinedIn(graph)))));

    /// <summary>The graphs inside a node.</summary>
    public static IEnumerable<GraphProto> Subgraphs(NodeProto node) =>
        node.Attribute.SelectMany(attribute => attribute.G is null ? attribute.Graphs : attribute.Graphs.Append(attribute.G));

    /// <summary>The wanted name or, where it is taken, one with a number behind.</summary>
    public string Unique(string wanted)
    {
        var name = wanted;
        var suffix = _suffixes.GetValueOrDefault(wanted);
        while (!_used.Add(name)) name = $"{wanted}_{++suffix}";
        _suffixes[wanted] = suffix;
        return name;
    }
}
