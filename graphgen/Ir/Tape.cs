using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Where expressions write their nodes: behind the last node of a graph, at opset 21.</summary>
/// <remarks>Infers type and shape of each node as it is written, shares equal nodes, turns products with a transposed operand into one
/// operator, and names nodes after the scope that they were written under.</remarks>
[Experimental(Unsettled.Id)]
public sealed class Tape
{
    private readonly Dictionary<string, Node> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<Value, int> _numbers = [];   // values by identity: names may change hands
    private readonly Dictionary<string, Value> _constants = new(StringComparer.Ordinal);
    private readonly Stack<string> _scopes = new();

    /// <summary>Writes into a graph, behind what it holds.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="onnxOnly">Whether operators of ONNX's own set are written only.</param>
    public Tape(Graph graph, bool onnxOnly = false) => (Graph, IsOnnxOnly) = (graph, onnxOnly);

    /// <summary>The graph that is written.</summary>
    public Graph Graph { get; }

    /// <summary>Whether only operators of ONNX's own set are allowed (a file for any runtime), not ONNX Runtime's fused products.</summary>
    internal bool IsOnnxOnly { get; }

    /// <summary>An expression over an existing value.</summary>
    public Expr this[Value value] => new(this, value);

    /// <summary>Writes the following nodes under a name, until the result is disposed.</summary>
    /// <param name="name">The name, in front of theirs.</param>
    public IDisposable Scope(string name)
    {
        _scopes.Push(name);
        return new EndOfScope(_scopes);
    }

    /// <summary>A constant; equal small ones are shared.</summary>
    public Expr Constant(OnnxTensor tensor, string? name = null)
    {
        var key = name is null && tensor.ByteCount <= 256 ? $"{tensor}:{Convert.ToHexString(tensor.Bytes)}" : null;
        if (key is not null && _constants.TryGetValue(key, out var shared) && Graph.Find(shared.Name) == shared) return this[shared];
        var value = Graph.AddConstant(name ?? NameOf("const"), tensor);
        if (key is not null) _constants[key] = value;
        return this[value];
    }

    /// <summary>A one-dimensional int64 constant (axes, shapes).</summary>
    internal Expr Longs(params ReadOnlySpan<long> values) => Constant(OnnxTensor.Vector(values));

    /// <summary>A scalar of the type of <paramref name="like"/>.</summary>
    internal Expr Scalar(double value, ElementType like) => Constant(like switch
    {
        ElementType.Float => OnnxTensor.Scalar((float)value),
        ElementType.Double => OnnxTensor.Scalar(value),
        ElementType.Float16 => OnnxTensor.Scalar((Half)value),
        ElementType.Int64 => OnnxTensor.Scalar((long)value),
        ElementType.Int32 => OnnxTensor.Scalar((int)value),
        _ => throw new ArgumentException($"no scalar of type {like.Display()}"),
    });

    /// <summary>Writes an operator and gives its first output.</summary>
    /// <param name="op">The operator: <c>MatMul</c>, or <c>com.microsoft::FusedMatMul</c>.</param>
    /// <param name="inputs">Its inputs by position; null = left out.</param>
    /// <param name="attributes">Its attributes; one that is null is left out.</param>
    public Expr Op(string op, ReadOnlySpan<Expr?> inputs, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) =>
        this[Write(op, inputs, 1, attributes).Output];

    /// <summary>Writes an operator, or finds the equal one that was written before.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">Its inputs by position; null = left out.</param>
    /// <param name="outputs">How many outputs it has.</param>
    /// <param name="attributes">Its attributes; one that is null is left out.</param>
    public Node Write(
        string op, ReadOnlySpan<Expr?> inputs, int outputs, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes)
    {
        var (values, given) = (ValuesOf(inputs), Given(attributes));
        var key = KeyOf(op, values, outputs, given);
        if (key is not null && _written.TryGetValue(key, out var equal) && equal.Graph is not null && equal.Inputs.SequenceEqual(values))
            return equal;
        var node = Add(op, values, outputs, given);
        if (key is not null) _written[key] = node;
        return node;
    }

    /// <summary>Writes an operator that is shared with nobody.</summary>
    internal Node WriteOwn(string op, ReadOnlySpan<Expr?> inputs, int outputs) => Add(op, ValuesOf(inputs), outputs, Given([]));

    private static List<Value?> ValuesOf(ReadOnlySpan<Expr?> inputs)
    {
        var values = new List<Value?>();
        foreach (var input in inputs) values.Add(input?.Value);
        return values;
    }

    private static SortedDictionary<string, OnnxAttribute> Given(ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes)
    {
        var given = new SortedDictionary<string, OnnxAttribute>(StringComparer.Ordinal);
        foreach (var (attribute, value) in attributes) if (value is not null) given[attribute] = value;
        return given;
    }

    private Node Add(string op, List<Value?> inputs, int outputs, SortedDictionary<string, OnnxAttribute> attributes)
    {
        var (domain, opType) = op.Split("::") is [var set, var name] ? (set, name) : (string.Empty, op);
        var node = new Node(opType, domain, inputs, Enumerable.Range(0, outputs).Select(_ => Graph.AddValue(NameOf(opType))));
        foreach (var (attribute, value) in attributes) node.Attributes[attribute] = value;
        node.Name = Graph.NodeNames.Unique(node.Output.Name);   // taken where a value has passed its name on
        StopRequest.ThrowIfAny();
        Graph.Add(node);
        ShapeInference.Infer(node);
        return node;
    }

    private string? KeyOf(string op, List<Value?> inputs, int outputs, SortedDictionary<string, OnnxAttribute> attributes) =>
        attributes.Values.Any(attribute => attribute.Key is null)
            ? null
            : $"{op}/{outputs}({string.Join(',', inputs.Select(NumberOf))})"
                + string.Join(',', attributes.Select(pair => pair.Key + pair.Value.Key));

    private int NumberOf(Value? value)
    {
        if (value is null) return -1;
        if (!_numbers.TryGetValue(value, out var number)) _numbers[value] = number = _numbers.Count;
        return number;
    }

    private string NameOf(string opType) => Graph.UniqueName(_scopes.TryPeek(out var scope) ? $"{scope}/{opType}" : opType);

    private sealed class EndOfScope(Stack<string> scopes) : IDisposable
    {
        public void Dispose() => scopes.Pop();
    }
}
