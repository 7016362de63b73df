using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>A graph that is being brought into the canonical vocabulary.</summary>
internal sealed class Rewriting
{
    private readonly Dictionary<Value, Value> _stored = [];
    private readonly Dictionary<(Value Source, string View), Value> _views = [];
    private readonly List<Finding> _findings = [];

    public Rewriting(Model deployed)
    {
        (Deployed, Model) = (deployed, deployed.Clone());
        foreach (var value in Graph.Initializers) _stored[value] = deployed.Graph.Find(value.Name)!;
        Tape = new Tape(Model.Graph);
        foreach (var value in Graph.Values.Where(value => !value.IsInput && !Graph.IsOutput(value))) value.Declaration = default;
    }

    public Model Deployed { get; }

    public Model Model { get; }

    public Graph Graph => Model.Graph;

    /// <summary>Writes new nodes at the end of the graph; it is sorted afterwards.</summary>
    public Tape Tape { get; }

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>For constants of the copy: the value of the deployed graph that has the same numbers.</summary>
    public IReadOnlyDictionary<Value, Value> Stored => _stored;

    public void Find(Node node, string reason) => _findings.Add(new Finding(node.Label, reason));

    /// <summary>Walks the graph once in order; at each node the first form that fits replaces it.</summary>
    public void Apply(IReadOnlyList<Form> forms)
    {
        foreach (var node in Graph.Nodes)
        {
            ShapeInference.Infer(node);
            foreach (var form in forms)
                if ((form.Op is null || form.Op == node.Op) && form.Rewrite(node, this)) break;
        }
    }

    /// <summary>Lets an operator stand for a node and the pieces before it; these go when nobody else reads them.</summary>
    public Node Replace(Node node, string op, IEnumerable<Value?> inputs, params ReadOnlySpan<(string Name, Attr Value)> attributes)
    {
        var name = node.Output.Name;
        var replacement = new Node(op, string.Empty, inputs, [Graph.AddValue(name, node.Output.Type, node.Output.Shape)]) { Name = node.Name, Source = node.Source };
        foreach (var (attribute, value) in attributes) replacement.Attributes[attribute] = value;
        foreach (var (key, value) in node.Metadata) replacement.Metadata[key] = value;
        Graph.Add(replacement, after: node);
        TakeOver(node, replacement.Output);
        ShapeInference.Infer(replacement);
        return replacement;
    }

    /// <summary>Lets an expression stand for a node; its pieces are named under the node.</summary>
    public bool Substitute(Node node, Func<Node, Rewriting, Expr> expression)
    {
        using var scope = Tape.Scope(node.Label);
        var value = expression(node, this).Value;
        if (value.Producer is { } producer) (producer.Name, producer.Source) = (node.Name, node.Source);
        TakeOver(node, value);
        return true;
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
    public Value Constant(Node node, Tensor tensor)
    {
        var (value, deployed) = (Graph.AddConstant(node.Output.Name, tensor), node.Source?.Output);
        TakeOver(node, value);
        if (deployed is not null) _stored[value] = deployed;
        return value;
    }

    /// <summary>A node that shows a constant in another way (turned, widened) becomes a constant; equal views of one tensor are shared.</summary>
    public void View(Node node, string view, Func<Tensor> tensor)
    {
        var key = (node.Input(0)!, view);
        if (_views.TryGetValue(key, out var shared)) Forward(node, shared);
        else _views[key] = Constant(node, tensor());
    }

    /// <summary>A new constant, such as axes.</summary>
    public Value Longs(Node near, string name, params long[] values) => Graph.AddConstant($"{near.Output.Name}/{name}", Tensor.Vector<long>(values));

    // A graph output has its name from the replacement already.
    private void TakeOver(Node node, Value value)
    {
        var name = node.Output.Name;
        Forward(node, value);
        if (value.Name != name && Graph.Find(name) is null) Graph.Rename(value, name);
    }
}
