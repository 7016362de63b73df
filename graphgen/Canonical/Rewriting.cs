using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Patterns;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>A graph that is being brought into the canonical vocabulary.</summary>
internal sealed class Rewriting
{
    private readonly Dictionary<Value, StoredValue> _stored = [];
    private readonly Dictionary<(Value Source, string View), Value> _views = [];
    private readonly Dictionary<Value, WeightFactor> _factors = [];
    private readonly OrderedDictionary<string, (Node Node, int Count)> _findings = [];   // by reason
    private readonly Dictionary<Node, IReadOnlyList<string>> _declined = [];

    public Rewriting(OnnxModel deployed)
    {
        (Deployed, Model) = (deployed, deployed.Clone());
        foreach (var value in Graph.Initializers) _stored[value] = new StoredValue(deployed.Graph.Find(value.Name)!);
        // nobody feeds them: they are their defaults
        foreach (var input in Graph.Inputs.Where(input => input.IsStored).ToList()) Graph.RemoveInput(input);
        Tape = new Tape(Model.Graph);
        foreach (var value in Graph.Values.Where(value => !value.IsInput && !Graph.IsOutput(value))) value.Declaration = default;
    }

    public OnnxModel Deployed { get; }

    public OnnxModel Model { get; }

    public Graph Graph => Model.Graph;

    /// <summary>Writes new nodes at the end of the graph; it is sorted afterwards.</summary>
    public Tape Tape { get; }

    /// <summary>What was found, each reason once: at its first node, with the number of further ones.</summary>
    public IReadOnlyList<Finding> Findings =>
        [.. _findings.Select(found => new Finding(
            found.Value.Node.Label, found.Value.Count == 1 ? found.Key : $"{found.Key} ({found.Value.Count} nodes, this is the first)"))];

    /// <summary>For constants of the copy: the value of the deployed graph that has the same numbers.</summary>
    public IReadOnlyDictionary<Value, StoredValue> Stored => _stored;

    /// <summary>For weights (of <c>MatMulNBits</c>: scales) and biases of the copy that took in a scale of the file: that scale.</summary>
    public IReadOnlyDictionary<Value, WeightFactor> Factors => _factors;

    /// <summary>Which forms were tried at a node that stayed, each with its reason for a "no".</summary>
    public IReadOnlyDictionary<Node, IReadOnlyList<string>> Declined => _declined;

    public void Find(Node node, string reason) =>
        _findings[reason] = _findings.TryGetValue(reason, out var found) ? (found.Node, found.Count + 1) : (node, 1);

    /// <summary>Walks the graph once in order. At each node the forms are tried in theirs: until one replaces the node, or refuses
    /// it.</summary>
    public void Apply(IReadOnlyList<Form> forms)
    {
        foreach (var node in Graph.Nodes)
        {
            StopRequest.ThrowIfAny();
            ShapeInference.Infer(node);
            Apply(forms, node);
        }
    }

    private void Apply(IReadOnlyList<Form> forms, Node node)
    {
        try
        {
            var declined = new List<string>();
            foreach (var form in forms.Where(form => form.Op is null || form.Op == node.Op))
            {
                if (form is Refuse refuse && refuse.Check(node, this) is { } refusal) throw refusal;
                var outcome = form switch
                {
                    Replace replace => replace.Apply(node, this),
                    InPlace change => change.Apply(node, this),
                    _ => Outcome.Done,
                };
                if (form is Replace && outcome == Outcome.Done) return;
                if (form.Op is not null && outcome.WhyNot is { } whyNot) declined.Add($"{form.Name}: {whyNot}");
            }
            if (declined.Count > 0) _declined[node] = declined;
        }
        catch (OverflowException)
        {
            throw ModelErrors.SizeOverflow(node);
        }
    }

    /// <summary>Lets an operator stand for a node and the pieces before it; these go when nobody else reads them.</summary>
    public Node Replace(
        Node node, string op, IEnumerable<Value?> inputs, params ReadOnlySpan<(string Name, OnnxAttribute Value)> attributes)
    {
        var output = Graph.AddValue(node.Output.Name, node.Output.Type, node.Output.Shape);
        var replacement = new Node(op, string.Empty, inputs, [output]).StandFor(node);
        foreach (var (attribute, value) in attributes) replacement.Attributes[attribute] = value;
        Graph.Add(replacement, after: node);
        TakeOver(node, replacement.Output);
        ShapeInference.Infer(replacement);
        return replacement;
    }

    /// <summary>Lets expressions stand for the outputs of a node; their pieces are named under the node and come from it.</summary>
    /// <exception cref="LortaException">LRT203: an output is read that has no expression.</exception>
    public Outcome Substitute(Node node, Func<Node, Rewriting, IReadOnlyList<Expr?>> expressions)
    {
        using var scope = Tape.Scope(node.Label);
        var last = Graph.Last;
        var outputs = expressions(node, this);
        for (var written = Graph.Last; written is not null && written != last; written = written.Previous) written.Source ??= node.Source;
        for (var i = 1; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i] is not { } further || (further.Uses.Count == 0 && !Graph.IsOutput(further))) continue;
            Graph.ReplaceUses(
                further,
                outputs.ElementAtOrDefault(i)?.Value ?? throw Refusal(node, $"its output {i} is read, which training does not have"));
        }
        if (outputs[0]!.Value.Value.Producer is { } producer && producer.Source == node.Source) producer.Name = node.Name;
        TakeOver(node, outputs[0]!.Value.Value);
        return Outcome.Done;
    }

    /// <summary>The failure that refuses an operator.</summary>
    public LortaException Refusal(Node node, string why) => CanonicalErrors.OperatorNotSupported(Deployed.Path, node, why);

    /// <summary>Elements <paramref name="start"/> … <paramref name="end"/> − 1 of a stored vector as a constant of their own.</summary>
    public Value Part(Value vector, long start, long end)
    {
        if (!vector.IsConstant || vector.Constant is not { Rank: 1 } stored) return Tape[vector].Slice(0, start, end).Value;
        if (start == 0 && end == stored.Count) return vector;
        var size = stored.Type.Bits() / 8;
        var part = Graph.AddConstant(
            $"{vector.Name}[{start}:{end}]",
            OnnxTensor.FromBytes(stored.Type, [end - start], stored.Slice(start * size, (int)((end - start) * size)).ToArray()));
        if (_stored.TryGetValue(vector, out var deployed)) _stored[part] = deployed with { Start = start };
        return part;
    }

    /// <summary>Takes a node out; whoever read its first output reads <paramref name="value"/>.</summary>
    public void Forward(Node node, Value value)
    {
        Graph.ReplaceUses(node.Output, value);
        Graph.Remove(node);
    }

    /// <summary>A node whose result is known becomes a constant under the same name.</summary>
    /// <param name="node">The node.</param>
    /// <param name="tensor">Its result.</param>
    public Value Constant(Node node, OnnxTensor tensor)
    {
        var (value, deployed) = (Graph.AddConstant(node.Output.Name, tensor), node.Source?.Output);
        TakeOver(node, value);
        if (deployed is not null) _stored[value] = new StoredValue(deployed);
        return value;
    }

    /// <summary>A node that shows a constant in another way (transposed, widened) becomes a constant; equal views of one tensor are
    /// shared.</summary>
    public void View(Node node, string view, Func<OnnxTensor> tensor)
    {
        var key = (node.Operand(0), view);
        if (_views.TryGetValue(key, out var shared)) Forward(node, shared);
        else _views[key] = Constant(node, tensor());
    }

    /// <summary>A constant whose numbers come from where those of another one come from.</summary>
    public Value Like(Value constant, OnnxTensor tensor)
    {
        if (ReferenceEquals(constant.Constant, tensor)) return constant;
        var value = Graph.AddConstant(constant.Name, tensor);
        if (_stored.TryGetValue(constant, out var stored)) _stored[value] = stored;
        if (_factors.TryGetValue(constant, out var factor)) _factors[value] = factor;
        return value;
    }

    /// <summary>Notes that a weight is another one times scales by input and output feature.</summary>
    public void AddFactor(Value scaled, Value weight, float[]? byInput, float[]? byOutput) =>
        _factors[scaled] = _factors.GetValueOrDefault(weight, new WeightFactor(null, null, null)).Times(byInput, byOutput);

    /// <summary>The same operator on other inputs, behind all others.</summary>
    public Node Copy(Node node, IEnumerable<Value?> inputs, Shape? shape = null)
    {
        var output = Graph.AddValue(node.Output.Name, node.Output.Type, shape ?? node.Output.Shape);
        return Graph.Add(node.On(inputs, [output]).StandFor(node));
    }

    /// <summary>A new constant, such as axes.</summary>
    public Value Longs(Node near, string name, params long[] values) =>
        Graph.AddConstant($"{near.Output.Name}/{name}", OnnxTensor.Vector<long>(values));

    /// <summary>Takes a node out; a value stands for its output, under its name.</summary>
    public void TakeOver(Node node, Value value)
    {
        var name = node.Output.Name;
        Forward(node, value);
        if (value.Name != name && Graph.Find(name) is null) Graph.Rename(value, name);   // a graph output has its name already
    }
}

/// <summary>A value of the deployed graph that a constant of the training copy has its numbers from.</summary>
/// <param name="Value">The value: a stored tensor, or one that only views lie between.</param>
/// <param name="Start">Where the constant starts in it, for parts of vectors.</param>
internal sealed record StoredValue(Value Value, long Start = 0);
