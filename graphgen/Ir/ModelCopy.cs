namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Deep copies of graphs.</summary>
internal static class ModelCopy
{
    public static OnnxModel Of(OnnxModel model)
    {
        var copy = new OnnxModel(Of(model.Graph))
        {
            Path = model.Path,
            IrVersion = model.IrVersion,
            Producer = model.Producer,
            Remainder = model.Remainder,
            Functions = model.Functions,
        };
        foreach (var (domain, version) in model.OpsetVersions) copy.OpsetVersions[domain] = version;
        foreach (var (key, value) in model.Metadata) copy.Metadata[key] = value;
        return copy;
    }

    private static Graph Of(Graph graph)
    {
        var copy = new Graph(graph.Name) { Remainder = graph.Remainder };
        var values = new Dictionary<Value, Value>();
        foreach (var value in graph.Values) values[value] = Of(value, copy.AddValue(value.Name, value.Type, value.Shape));
        foreach (var input in graph.Inputs) copy.MakeInput(values[input]);
        foreach (var output in graph.Outputs) copy.AddOutput(values[output]);
        foreach (var node in graph.Nodes) copy.Add(Of(node, values));
        return copy;
    }

    private static Value Of(Value value, Value copy)
    {
        (copy.Constant, copy.Declaration, copy.Remainder) = (value.Constant, value.Declaration, value.Remainder);
        (copy.IsExternal, copy.Content) = (value.IsExternal, value.Content);
        return copy;
    }

    private static Node Of(Node node, Dictionary<Value, Value> values)
    {
        var copy = node.On(node.Inputs.Select(Mapped), node.Outputs.Select(Mapped)).StandFor(node);
        (copy.Source, copy.Remainder, copy.Captures) = (node, node.Remainder, [.. node.Captures.Select(value => values[value])]);
        return copy;

        Value? Mapped(Value? value) => value is null ? null : values[value];
    }
}
