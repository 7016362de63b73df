namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>A deep copy of a model, and which of its values and nodes stands for which.</summary>
internal sealed class ModelCopy
{
    private readonly Dictionary<Value, Value> _values = [];
    private readonly Dictionary<Node, Node> _nodes = [];

    private ModelCopy(OnnxModel model)
    {
        Model = new OnnxModel(Of(model.Graph))
        {
            Path = model.Path,
            IrVersion = model.IrVersion,
            Producer = model.Producer,
            Remainder = model.Remainder,
            Functions = model.Functions,
        };
        foreach (var (domain, version) in model.OpsetVersions) Model.OpsetVersions[domain] = version;
        foreach (var (key, value) in model.Metadata) Model.Metadata[key] = value;
    }

    /// <summary>The copy.</summary>
    public OnnxModel Model { get; }

    /// <summary>The copy of a value.</summary>
    public Value this[Value value] => _values[value];

    /// <summary>The copy of a node.</summary>
    public Node this[Node node] => _nodes[node];

    public bool Has(Value value) => _values.ContainsKey(value);

    public static ModelCopy Of(OnnxModel model) => new(model);

    private Graph Of(Graph graph)
    {
        var copy = new Graph(graph.Name) { Remainder = graph.Remainder };
        foreach (var value in graph.Values) _values[value] = Of(value, copy.AddValue(value.Name, value.Type, value.Shape));
        foreach (var input in graph.Inputs) copy.MakeInput(this[input]);
        foreach (var output in graph.Outputs) copy.AddOutput(this[output]);
        foreach (var node in graph.Nodes) _nodes[node] = copy.Add(Of(node));
        return copy;
    }

    private static Value Of(Value value, Value copy)
    {
        copy.Constant = value.Constant;
        copy.Declaration = value.Declaration;
        copy.Remainder = value.Remainder;
        (copy.IsExternal, copy.Content) = (value.IsExternal, value.Content);
        return copy;
    }

    private Node Of(Node node)
    {
        var copy = node.On(node.Inputs.Select(Mapped), node.Outputs.Select(Mapped)).StandFor(node);
        copy.Source = node;
        copy.Remainder = node.Remainder;
        copy.Captures = [.. node.Captures.Select(value => this[value])];
        return copy;

        Value? Mapped(Value? value) => value is null ? null : this[value];
    }
}
