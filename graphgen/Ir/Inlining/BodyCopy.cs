using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Inlining;

/// <summary>Copies nodes of a body under other names, those in graphs inside them included.</summary>
/// <param name="names">New names of values; all others stay.</param>
/// <param name="nameOf">New names of nodes.</param>
/// <param name="attributes">What references to attributes of the call stand for; null = there are none.</param>
internal sealed class BodyCopy(IReadOnlyDictionary<string, string> names, Func<string, string> nameOf,
    Func<string, AttributeProto?>? attributes)
{
    public NodeProto Copy(NodeProto node)
    {
        var copy = node.Clone();
        Rename(copy);
        return copy;
    }

    /// <summary>Another name for a value; its own where it has none.</summary>
    public string NameOf(string value) => names.GetValueOrDefault(value, value);

    private void Rename(NodeProto node)
    {
        for (var i = 0; i < node.Input.Count; i++) node.Input[i] = NameOf(node.Input[i]);
        for (var i = 0; i < node.Output.Count; i++) node.Output[i] = NameOf(node.Output[i]);
        if (node.Name.Length > 0) node.Name = nameOf(node.Name);
        for (var i = node.Attribute.Count - 1; i >= 0; i--) Resolve(node, i);
        foreach (var graph in NameTable.Subgraphs(node)) Rename(graph);
    }

    // A reference to an attribute that the call does not give leaves the operator its default.
    private void Resolve(NodeProto node, int index)
    {
        var attribute = node.Attribute[index];
        if (attributes is null || attribute.RefAttrName.Length == 0) return;
        if (attributes(attribute.RefAttrName) is not { } given)
        {
            node.Attribute.RemoveAt(index);
            return;
        }
        var resolved = given.Clone();
        resolved.Name = attribute.Name;
        node.Attribute[index] = resolved;
    }

    private void Rename(GraphProto graph)
    {
        foreach (var info in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo)) info.Name = NameOf(info.Name);
        foreach (var tensor in graph.Initializer) tensor.Name = NameOf(tensor.Name);
        foreach (var node in graph.Node) Rename(node);
    }
}
