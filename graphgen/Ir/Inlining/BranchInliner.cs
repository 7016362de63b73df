using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Inlining;

/// <summary>Puts the one branch that is ever taken in the place of an <c>If</c> whose condition is known: a constant, or a comparison of
/// sizes that the file fixes.</summary>
internal static class BranchInliner
{
    /// <summary>Takes the known branches, also those inside branches that were taken.</summary>
    /// <param name="proto">The graph, which is changed.</param>
    /// <param name="read">Reads a copy of the graph, on which conditions are looked up.</param>
    public static void Inline(GraphProto proto, Func<GraphProto, Graph> read)
    {
        while (proto.Node.Any(IsIf) && Take(proto, Known(read(proto.Clone()))))
        {
        }
    }

    private static bool IsIf(NodeProto node) => node.OpType == "If" && OnnxOpsets.DomainOf(node.Domain).Length == 0;

    // By the first output of the If, what its condition is.
    private static Dictionary<string, bool> Known(Graph graph)
    {
        ShapeInference.Infer(graph);
        var known = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes.Where(node => node.Op == "If" && node.Outputs is [not null, ..]))
            if (node.Input(0) is { } condition && Contents.Of(condition) is [{ Value: { } value }]) known[node.Output.Name] = value != 0;
        return known;
    }

    // Whether there was one to take.
    private static bool Take(GraphProto graph, Dictionary<string, bool> known)
    {
        var names = new NameTable(graph);
        var nodes = new List<NodeProto>();
        var isTaken = false;
        foreach (var node in graph.Node)
        {
            var branch = IsIf(node) && node.Output.Count > 0 && known.TryGetValue(node.Output[0], out var condition)
                ? BranchOf(node, condition)
                : null;
            isTaken |= branch is not null;
            if (branch is null) nodes.Add(node);
            else nodes.AddRange(Body(graph, node, branch, names));
        }
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        return isTaken;
    }

    private static GraphProto? BranchOf(NodeProto node, bool condition) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == (condition ? "then_branch" : "else_branch"))?.G is { } branch
            && branch.Output.Count >= node.Output.Count ? branch : null;

    private static IEnumerable<NodeProto> Body(GraphProto graph, NodeProto node, GraphProto branch, NameTable names)
    {
        var made = branch.Node.SelectMany(inner => inner.Output).ToHashSet(StringComparer.Ordinal);
        var (map, forwarded) = (new Dictionary<string, string>(StringComparer.Ordinal), new List<(string From, string To)>());
        for (var i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i].Length == 0) continue;
            if (!made.Contains(branch.Output[i].Name) || !map.TryAdd(branch.Output[i].Name, node.Output[i]))
                forwarded.Add((branch.Output[i].Name, node.Output[i]));
        }

        // Both branches hold most names; those of the other one go with it.
        foreach (var name in NameTable.DefinedIn(branch).Distinct(StringComparer.Ordinal).Where(name => !map.ContainsKey(name)).ToList())
            map[name] = names.Unique(name);
        var copy = new BodyCopy(map, name => name, attributes: null);
        foreach (var tensor in branch.Initializer)
        {
            tensor.Name = copy.NameOf(tensor.Name);
            graph.Initializer.Add(tensor);
        }
        foreach (var info in branch.ValueInfo.Where(info => map.ContainsKey(info.Name)))
        {
            info.Name = map[info.Name];
            graph.ValueInfo.Add(info);
        }
        return [.. branch.Node.Select(copy.Copy), .. forwarded.Select(pair => FunctionInliner.Identity(copy.NameOf(pair.From), pair.To))];
    }
}
