using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>A graph: inputs, outputs, constants and nodes in execution order. It may be changed while <see cref="Nodes"/> is
/// walked.</summary>
[Experimental(Unsettled.Id)]
public sealed class Graph
{
    private readonly SortedDictionary<string, int> _suffixes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private readonly List<Value> _inputs = [];
    private readonly List<Value> _outputs = [];
    private Node? _first;
    private Node? _last;

    /// <summary>An empty graph.</summary>
    /// <param name="name">Its name in the file.</param>
    public Graph(string name) => Name = name;

    /// <summary>Name of the graph.</summary>
    public string Name { get; internal set; }

    /// <summary>Whether a written file states type and shape of every value, not only of those that the file read before
    /// declared.</summary>
    internal bool IsDeclared { get; set; }

    /// <summary>Inputs in order, those with a default included.</summary>
    public IReadOnlyList<Value> Inputs => _inputs;

    /// <summary>Outputs in order.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>All values: inputs, constants and outputs of nodes.</summary>
    internal IReadOnlyCollection<Value> Values => _values.Values;

    /// <summary>Constants and defaults of inputs, in the order in which they were added.</summary>
    public IEnumerable<Value> Initializers => _values.Values.Where(value => value.Constant is not null);

    /// <summary>Nodes in order; nodes added behind the current one are visited too.</summary>
    public IEnumerable<Node> Nodes
    {
        get
        {
            for (var node = _first; node is not null; node = Following(node)) yield return node;
        }
    }

    /// <summary>The last node; null in a graph without nodes.</summary>
    internal Node? Last => _last;

    /// <summary>Fields of the stored graph that are not modelled.</summary>
    internal ReadOnlyMemory<byte> Remainder { get; set; }

    /// <summary>The names of its nodes.</summary>
    internal NodeNames NodeNames { get; } = new();

    internal Value? Find(string name) => _values.GetValueOrDefault(name);

    /// <summary>A name that no value has yet: the wanted one or, where taken, with a number behind.</summary>
    internal string UniqueName(string wanted)
    {
        if (!_values.ContainsKey(wanted)) return wanted;
        var suffix = _suffixes.GetValueOrDefault(wanted);
        string name;
        do name = $"{wanted}_{++suffix}";
        while (_values.ContainsKey(name));
        _suffixes[wanted] = suffix;
        return name;
    }

    /// <summary>Adds the output of a node that is about to be added.</summary>
    /// <param name="name">The name it gets where that is free.</param>
    /// <param name="type">Its type.</param>
    /// <param name="shape">Its shape; null = not known yet.</param>
    public Value AddValue(string name, ElementType type = ElementType.Undefined, Shape? shape = null)
    {
        var value = new Value(UniqueName(name)) { Type = type, Shape = shape };
        _values.Add(value.Name, value);
        return value;
    }

    /// <summary>Adds an input.</summary>
    /// <param name="name">The name it gets where that is free.</param>
    /// <param name="type">Its type.</param>
    /// <param name="shape">Its shape; null = of any rank.</param>
    /// <param name="byDefault">What it is where nobody gives it; null = it must be given.</param>
    public Value AddInput(string name, ElementType type, Shape? shape, OnnxTensor? byDefault = null)
    {
        var value = AddValue(name, type, shape);
        (value.Constant, value.IsInput) = (byDefault, true);
        _inputs.Add(value);
        return value;
    }

    /// <summary>Adds a stored tensor.</summary>
    /// <param name="name">The name it gets where that is free.</param>
    /// <param name="tensor">Its numbers.</param>
    public Value AddConstant(string name, OnnxTensor tensor)
    {
        var value = AddValue(name, tensor.Type, Shape.Of(tensor));
        value.Constant = tensor;
        return value;
    }

    /// <summary>Makes a value an output of the graph.</summary>
    /// <param name="value">The value.</param>
    public void AddOutput(Value value) => _outputs.Add(value);

    internal void RemoveOutput(Value value) => _outputs.Remove(value);

    internal void ClearOutputs() => _outputs.Clear();

    /// <summary>Makes an existing value (a constant, say) an input whose default it is.</summary>
    internal void MakeInput(Value value)
    {
        value.IsInput = true;
        _inputs.Add(value);
    }

    /// <summary>Takes an input away; one with a default becomes a constant, one that nobody reads goes.</summary>
    internal void RemoveInput(Value value)
    {
        value.IsInput = false;
        _inputs.Remove(value);
        if (value.Uses.Count == 0 && !IsOutput(value)) _values.Remove(value.Name);
    }

    /// <summary>Takes away the inputs that nobody reads.</summary>
    internal void RemoveUnusedInputs()
    {
        foreach (var input in _inputs.Where(input => input.Uses.Count == 0 && !IsOutput(input)).ToArray()) RemoveInput(input);
    }

    internal bool IsOutput(Value value) => _outputs.Contains(value);

    /// <summary>Puts a node behind <paramref name="after"/>, or at the end.</summary>
    /// <param name="node">The node, which is in no graph yet.</param>
    /// <param name="after">The node before it; null = the last one.</param>
    public Node Add(Node node, Node? after = null)
    {
        Take(node);
        node.Previous = after ?? _last;
        node.Next = node.Previous is { } previous ? previous.Next : _first;
        if (node.Previous is null) _first = node;
        else node.Previous.Next = node;
        if (node.Next is null) _last = node;
        else node.Next.Previous = node;
        return node;
    }

    internal Node InsertBefore(Node node, Node before)
    {
        if (before.Previous is { } previous) return Add(node, previous);
        Take(node);
        node.Next = before;
        before.Previous = node;
        _first = node;
        return node;
    }

    /// <summary>Takes a node out; its outputs must have no readers left.</summary>
    internal void Remove(Node node)
    {
        node.Detach();
        NodeNames.Remove(node.Name);
        if (node.Previous is null) _first = node.Next;
        else node.Previous.Next = node.Next;
        if (node.Next is null) _last = node.Previous;
        else node.Next.Previous = node.Previous;
        foreach (var output in node.Outputs) if (output is not null) _values.Remove(output.Name);
        node.Graph = null;   // keeps Next, so that a walk that stands on it goes on
    }

    /// <summary>Whether the name of a value is fixed because others refer to it: as a graph output, or inside a subgraph.</summary>
    internal bool IsKnownByName(Value value) => IsOutput(value) || value.IsCaptured;

    /// <summary>Lets everyone who reads <paramref name="old"/> read <paramref name="replacement"/>; graph outputs and subgraphs find it
    /// under the old name.</summary>
    internal void ReplaceUses(Value old, Value replacement, Func<Use, bool>? where = null)
    {
        foreach (var use in old.Uses.ToArray())
            if (use.Index >= 0 && (where is null || where(use))) use.Node.SetInput(use.Index, replacement);
        if (where is null && IsKnownByName(old)) ReplaceByName(old, replacement);
    }

    /// <summary>Splices nodes in behind a value: its readers from before, graph outputs and subgraphs see the result; the new nodes go on
    /// reading the value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="readers">Who read it before the new nodes were added.</param>
    /// <param name="result">What the new nodes make of it.</param>
    internal void Splice(Value value, IReadOnlySet<Use> readers, Value result)
    {
        ReplaceUses(value, result, readers.Contains);
        if (IsKnownByName(value)) ReplaceByName(value, result);
    }

    /// <summary>Drops every node and constant that no output needs. Inputs stay.</summary>
    internal void RemoveUnused()
    {
        for (var node = _last; node is not null; node = node.Previous)
            if (node.Outputs.All(output => output is null || (output.Uses.Count == 0 && !IsOutput(output)))) Remove(node);
        foreach (var value in _values.Values.Where(value => value.IsConstant && value.Uses.Count == 0 && !IsOutput(value)).ToArray())
            _values.Remove(value.Name);
    }

    /// <summary>Puts the nodes into an order in which each comes after the nodes that it reads, keeping their order where that allows
    /// it.</summary>
    internal void Sort()
    {
        var begun = new HashSet<Node>();
        var placed = new HashSet<Node>();
        var ordered = new List<Node>();
        foreach (var node in Nodes.ToArray()) Place(node, begun, placed, ordered);
        (_first, _last) = (ordered.FirstOrDefault(), ordered.LastOrDefault());
        for (var i = 0; i < ordered.Count; i++)
            (ordered[i].Previous, ordered[i].Next) = (i > 0 ? ordered[i - 1] : null, i + 1 < ordered.Count ? ordered[i + 1] : null);
    }

    /// <summary>Gives a value another name.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">The name it gets where that is free.</param>
    public void Rename(Value value, string name)
    {
        _values.Remove(value.Name);
        value.Name = UniqueName(name);
        _values.Add(value.Name, value);
    }

    private void Take(Node node)
    {
        node.Graph = this;
        node.Attach();
        NodeNames.Add(node.Name);
    }

    private static Node? Following(Node node)
    {
        var next = node.Next;
        while (next is { Graph: null }) next = next.Next;
        return next;
    }

    private static void Place(Node start, HashSet<Node> begun, HashSet<Node> placed, List<Node> ordered)
    {
        var pending = new Stack<Node>([start]);   // no recursion: graphs are deep
        while (pending.TryPeek(out var node))
        {
            begun.Add(node);
            var waits = pending.Count;
            foreach (var producer in node.Inputs.Concat(node.Captures).Reverse().Select(value => value?.Producer).OfType<Node>())
            {
                if (placed.Contains(producer)) continue;
                if (begun.Contains(producer) && pending.Contains(producer)) throw ModelErrors.Cycle(node);
                pending.Push(producer);
            }
            if (pending.Count > waits) continue;
            pending.Pop();
            if (placed.Add(node)) ordered.Add(node);
        }
    }

    // Graph outputs and subgraphs know a value by its name: the replacement takes it over.
    private void ReplaceByName(Value old, Value replacement)
    {
        if (replacement.Producer is null || IsKnownByName(replacement)) replacement = AddIdentity(replacement);
        for (var i = 0; i < _outputs.Count; i++) if (_outputs[i] == old) _outputs[i] = replacement;
        foreach (var use in old.Uses.Where(use => use.Index < 0).ToArray()) use.Node.ReplaceCapture(old, replacement);
        SwapNames(old, replacement);
        (replacement.Declaration, old.Declaration) = (old.Declaration, default);
    }

    private Value AddIdentity(Value value)
    {
        var copy = AddValue($"{value.Name}_copy", value.Type, value.Shape);
        Add(new Node("Identity", string.Empty, [value], [copy]));
        return copy;
    }

    private void SwapNames(Value a, Value b)
    {
        (a.Name, b.Name) = (b.Name, a.Name);
        (_values[a.Name], _values[b.Name]) = (a, b);
    }
}
