using System.Diagnostics.CodeAnalysis;
using System.Text;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>An operator call: its inputs (null = absent), outputs (null = not asked for) and attributes.</summary>
[Experimental(Unsettled.Id)]
public sealed class Node
{
    private readonly List<Value?> _inputs;
    private readonly List<Value?> _outputs;

    /// <summary>A node that is in no graph yet.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="domain">Its set; empty for ONNX's own.</param>
    /// <param name="inputs">Inputs by position; null = left out.</param>
    /// <param name="outputs">Outputs by position; null = left out.</param>
    public Node(string opType, string domain, IEnumerable<Value?> inputs, IEnumerable<Value?> outputs)
    {
        OpType = opType;
        Domain = OnnxOpsets.DomainOf(domain);
        Op = OnnxOpsets.OpOf(domain, opType);
        (_inputs, _outputs) = ([.. inputs], [.. outputs]);
    }

    /// <summary>The operator's one name, with its set unless that is ONNX's own: <c>MatMul</c>, <c>com.microsoft::Attention</c>.
    /// Operators are compared by it.</summary>
    public string Op { get; }

    /// <summary>The name inside its set, as it is stored.</summary>
    public string OpType { get; }

    /// <summary>The operator set, as it is stored; empty for ONNX's own.</summary>
    public string Domain { get; }

    /// <summary>Name; may be empty.</summary>
    public string Name
    {
        get;
        set
        {
            Graph?.NodeNames.Remove(field);
            field = value;
            Graph?.NodeNames.Add(field);
        }
    } = string.Empty;

    /// <summary>Inputs by position.</summary>
    public IReadOnlyList<Value?> Inputs => _inputs;

    /// <summary>Outputs by position.</summary>
    public IReadOnlyList<Value?> Outputs => _outputs;

    /// <summary>Attributes by name.</summary>
    public SortedDictionary<string, OnnxAttribute> Attributes { get; } = new(StringComparer.Ordinal);

    /// <summary>The exporter's notes on the node, for instance the module path.</summary>
    internal SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Outer values that subgraphs of this node read.</summary>
    internal IReadOnlyList<Value> Captures { get; set; } = [];

    /// <summary>In a rewritten graph: the node of the deployed file that this one stands for.</summary>
    internal Node? Source { get; set; }

    /// <summary>Whether its result counts as constant where gradients are derived (<see cref="Expr.Detached"/>).</summary>
    internal bool StopsGradient { get; set; }

    internal Graph? Graph { get; set; }

    internal Node? Next { get; set; }

    internal Node? Previous { get; set; }

    /// <summary>Fields of the stored node that are not modelled.</summary>
    internal ReadOnlyMemory<byte> Remainder { get; set; }

    /// <summary>The first output.</summary>
    public Value Output => _outputs[0]!;

    /// <summary>The name, or where there is none the operator and its first output.</summary>
    internal string Label => Name.Length > 0 ? Name : $"{OpType} → {_outputs.FirstOrDefault(output => output is not null)?.Name}";

    internal Value? Input(int index) => index < _inputs.Count ? _inputs[index] : null;

    /// <summary>An input that the operator cannot do without.</summary>
    /// <exception cref="LortaException">LRT121: it is missing.</exception>
    internal Value Operand(int index) => Input(index) ?? throw ModelErrors.CannotInfer(this, $"its input {index} is missing");

    internal void SetInput(int index, Value? value)
    {
        while (_inputs.Count <= index) _inputs.Add(null);
        _inputs[index]?.RemoveUse(new Use(this, index));
        _inputs[index] = value;
        if (Graph is not null) value?.AddUse(new Use(this, index));
    }

    /// <summary>The same operator on other values, with its name and attributes.</summary>
    internal Node On(IEnumerable<Value?> inputs, IEnumerable<Value?> outputs)
    {
        var other = new Node(OpType, Domain, inputs, outputs) { Name = Name, StopsGradient = StopsGradient };
        foreach (var (name, value) in Attributes) other.Attributes[name] = value;
        return other;
    }

    /// <summary>Takes over what is known of a node that this one stands for: its name, the exporter's notes, its source.</summary>
    internal Node StandFor(Node other)
    {
        (Name, Source) = (other.Name, other.Source);
        foreach (var (key, value) in other.Metadata) Metadata[key] = value;
        return this;
    }

    internal void ReplaceCapture(Value old, Value replacement)
    {
        Captures = [.. Captures.Select(value => value == old ? replacement : value)];
        old.RemoveUse(new Use(this, -1));
        replacement.AddUse(new Use(this, -1));
    }

    internal void AddOutput(int index, Value value)
    {
        while (_outputs.Count <= index) _outputs.Add(null);
        (_outputs[index], value.Producer) = (value, this);
    }

    /// <summary>An integer attribute; so are the others below for their kinds.</summary>
    /// <exception cref="LortaException">LRT131: the attribute is of another kind.</exception>
    internal long Int(string name, long otherwise) =>
        Attributes.TryGetValue(name, out var attr) ? As<long>(attr, AttrKind.Int, name) : otherwise;

    /// <summary>The attribute <c>axis</c>, counted from the front of a tensor.</summary>
    internal int Axis(int rank, long otherwise = 0) => (int)Int("axis", otherwise).FromFront(rank);

    internal float Float(string name, float otherwise) =>
        Attributes.TryGetValue(name, out var attr) ? As<float>(attr, AttrKind.Float, name) : otherwise;

    internal string String(string name, string otherwise) =>
        Attributes.TryGetValue(name, out var attr) ? Encoding.UTF8.GetString(As<byte[]>(attr, AttrKind.String, name)) : otherwise;

    internal long[]? Ints(string name) => Attributes.TryGetValue(name, out var attr) ? As<long[]>(attr, AttrKind.Ints, name) : null;

    private T As<T>(OnnxAttribute attr, AttrKind kind, string name) =>
        attr.Kind == kind ? (T)attr.Value : throw ModelErrors.AttributeKind(this, name, attr.Kind, kind);

    /// <summary>The numbers of a Constant node, however the file spells them; null for text and for every other operator.</summary>
    internal OnnxTensor? ConstantTensor() => Op != "Constant" ? null : Attributes.FirstOrDefault() switch
    {
        ("value", { Value: OnnxTensor tensor }) => tensor,
        ("value_int", { Value: long value }) => OnnxTensor.Scalar(value),
        ("value_ints", { Value: long[] values }) => OnnxTensor.Vector<long>(values),
        ("value_float", { Value: float value }) => OnnxTensor.Scalar(value),
        ("value_floats", { Value: float[] values }) => OnnxTensor.Vector<float>(values),
        _ => null,
    };

    /// <summary>Gives a Constant node another tensor.</summary>
    internal void SetValue(OnnxTensor tensor)
    {
        Attributes.Clear();
        Attributes["value"] = tensor;
    }

    internal void Attach()
    {
        for (var i = 0; i < _inputs.Count; i++) _inputs[i]?.AddUse(new Use(this, i));
        foreach (var value in Captures) value.AddUse(new Use(this, -1));
        foreach (var output in _outputs) output?.Producer = this;
    }

    internal void Detach()
    {
        for (var i = 0; i < _inputs.Count; i++) _inputs[i]?.RemoveUse(new Use(this, i));
        foreach (var value in Captures) value.RemoveUse(new Use(this, -1));
        foreach (var output in _outputs) output?.Producer = null;
    }

    /// <summary>Operator and label, for messages.</summary>
    public override string ToString() => $"{Op} '{Label}'";
}
