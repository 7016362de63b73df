using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Autodiff;

/// <summary>What a gradient rule sees of the node that it is asked about.</summary>
/// <param name="tape">Where it writes.</param>
/// <param name="node">The node.</param>
/// <param name="gradients">∂loss/∂value of what comes after it.</param>
/// <param name="moving">The values whose gradients are wanted.</param>
[Experimental(Unsettled.Id)]
public sealed class GradientCall(Tape tape, Node node, IReadOnlyDictionary<Value, Expr> gradients, IReadOnlySet<Value> moving)
{
    /// <summary>The tape, for what has no operator on <see cref="Expr"/>.</summary>
    public Tape Tape => tape;

    /// <summary>The first input.</summary>
    public Expr X => tape[node.Input(0)!];

    /// <summary>The first output.</summary>
    public Expr Y => tape[node.Output];

    /// <summary>∂loss/∂<see cref="Y"/>.</summary>
    public Expr G => Gradient(0);

    /// <summary>All attributes.</summary>
    internal IEnumerable<(string Name, OnnxAttribute? Value)> Attributes =>
        node.Attributes.Select(attribute => (attribute.Key, (OnnxAttribute?)attribute.Value));

    /// <summary>Number of outputs.</summary>
    public int OutputCount => node.Outputs.Count;

    /// <summary>All inputs, none of which may be absent.</summary>
    public IReadOnlyList<Expr> Inputs => [.. node.Inputs.Select(input => tape[input!])];

    /// <summary>The first two inputs.</summary>
    public void Deconstruct(out Expr a, out Expr b) => (a, b) = (X, tape[node.Input(1)!]);

    /// <summary>The first three inputs.</summary>
    public void Deconstruct(out Expr a, out Expr b, out Expr c)
    {
        (a, b) = this;
        c = tape[node.Input(2)!];
    }

    /// <summary>An input, or null where it is absent.</summary>
    public Expr? Input(int index) => node.Input(index) is { } input ? tape[input] : null;

    /// <summary>Whether anybody asks for the gradient of an input.</summary>
    public bool IsWanted(int index) => node.Input(index) is { } input && moving.Contains(input);

    /// <summary>Whether the loss depends on an output.</summary>
    public bool IsUsed(int output) => output < OutputCount && node.Outputs[output] is { } value && gradients.ContainsKey(value);

    /// <summary>∂loss/∂output; zeros where the loss does not depend on it.</summary>
    public Expr Gradient(int output)
    {
        var value = node.Outputs[output]!;
        return gradients.TryGetValue(value, out var gradient) ? gradient : tape[value].Zeros();
    }

    /// <summary>An output; one that the node was not asked for so far is added to it.</summary>
    public Expr Output(int index)
    {
        if (index >= node.Outputs.Count || node.Outputs[index] is null)
        {
            node.AddOutput(index, tape.Graph.AddValue($"{node.Output.Name}_{index}"));
            ShapeInference.Infer(node);
        }
        return tape[node.Outputs[index]!];
    }

    /// <summary>An attribute that is an integer.</summary>
    public long Int(string name, long otherwise) => node.Int(name, otherwise);

    /// <summary>An attribute that is 0 or 1; 0 where it is absent.</summary>
    public bool Flag(string name) => node.Int(name, 0) != 0;

    /// <summary>An attribute that is a float.</summary>
    public float Float(string name, float otherwise) => node.Float(name, otherwise);

    /// <summary>An attribute that is a text.</summary>
    public string String(string name, string otherwise) => node.String(name, otherwise);

    /// <summary>An attribute that is a list of integers; null where it is absent.</summary>
    public long[]? Ints(string name) => node.Ints(name);

    internal WindowAttributes Windows(int axes) => WindowAttributes.Of(node, axes);

    /// <summary>An axis attribute, counted from the front of the first input.</summary>
    public int Axis(string name, long otherwise) => (int)Int(name, otherwise).FromFront(X.Rank);

    /// <summary>The axes from the one named by an attribute to the last.</summary>
    public long[] TrailingAxes(string name, long otherwise) =>
        [.. Enumerable.Range(0, X.Rank).Skip(Axis(name, otherwise)).Select(axis => (long)axis)];

    /// <summary>The integers of an input that is known when the graph is made, else null.</summary>
    public long[]? Longs(int input)
    {
        if (node.Input(input) is { } value && Contents.Of(value) is { } content && content.All(dim => dim.IsKnown))
            return [.. content.Select(dim => dim.Value!.Value)];
        return ConstantOf(node.Input(input))?.ToLongs();
    }

    /// <summary>The numbers of an input that is a constant, else null.</summary>
    public float[]? Floats(int input) => ConstantOf(node.Input(input))?.ToFloats();

    /// <summary>The number of an input that is a constant of one element, else null.</summary>
    public double? Number(int input) => ConstantOf(node.Input(input)) is { Count: 1 } constant
        ? constant.Type == ElementType.Double ? constant.Span<double>()[0] : constant.ToFloats()[0]
        : null;

    /// <summary>The same operator, with the same further inputs and attributes, on another first input.</summary>
    public Expr Again(Expr first) => Again(node.Op, first);

    /// <summary>Another operator with the further inputs and attributes of this one.</summary>
    public Expr Again(string op, Expr first) => tape.Op(
        op,
        [first, .. node.Inputs.Skip(1).Select(input => input is null ? (Expr?)null : tape[input])],
        [.. Attributes]);

    /// <summary>The failure to give when an attribute or input has a form that the rule does not know.</summary>
    public LortaException Refusal(string why) => AutodiffErrors.FormNotSupported(node, why);

    // An input's default may be overridden.
    private static OnnxTensor? ConstantOf(Value? value) => value is { IsInput: false } ? value.StoredTensor() : null;
}
