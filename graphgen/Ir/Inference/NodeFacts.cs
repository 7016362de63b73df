using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>What a rule of inference sees: the facts about a node's inputs, and where those about its outputs go.</summary>
internal sealed class NodeFacts(Node node)
{
    private const int MostAxes = 64;

    public Node Node => node;

    public int Outputs => node.Outputs.Count;

    public bool Has(int input) => node.Input(input) is not null;

    public ElementType Type(int input) => node.Input(input)?.Type ?? ElementType.Undefined;

    public Shape? Shape(int input) => node.Input(input)?.Shape;

    /// <summary>The shape of an input that has at least so many axes.</summary>
    public Shape? Shape(int input, int rank) => Shape(input) is { } shape && shape.Rank < rank
        ? throw Fail($"input {input} of shape {shape} has fewer than {rank} axes")
        : Shape(input);

    /// <summary>Fails where a list, as far as it is known, has fewer entries than are read.</summary>
    public void AtLeast(int? count, int? least, string what)
    {
        if (count < least) throw Fail($"{count} {what} where {least} are needed");
    }

    /// <summary>The elements of a small integer input, as far as they are known at all.</summary>
    public IReadOnlyList<Dim>? Content(int input) => node.Input(input) is { } value ? Contents.Of(value) : null;

    /// <summary>The elements of a small integer input where all are numbers.</summary>
    public long[]? Longs(int input) =>
        Content(input) is { } content && content.All(dim => dim.IsKnown) ? [.. content.Select(dim => dim.Value!.Value)] : null;

    /// <summary>Integers that older opsets hold in an attribute and newer ones in an input.</summary>
    public long[]? Longs(string attribute, int input) => node.Ints(attribute) ?? Longs(input);

    /// <summary>Whether such integers are given, known or not.</summary>
    public bool Gives(string attribute, int input) => node.Attributes.ContainsKey(attribute) || Has(input);

    public long Int(string attribute, long otherwise) => node.Int(attribute, otherwise);

    /// <summary>An axis as index into a shape of the given rank.</summary>
    public int Axis(long axis, int rank) =>
        axis >= -rank && axis < rank ? (int)axis.FromFront(rank) : throw Fail($"axis {axis} of a tensor of rank {rank}");

    /// <summary>A size that nothing is known of, named after the output: the same in every run.</summary>
    public Dim Fresh(int output, int axis) => Dim.Symbol(FreshName(output, axis));

    /// <summary>A shape of which only the rank is known.</summary>
    public Shape FreshShape(int output, long rank) => rank is >= 0 and <= MostAxes
        ? [.. Enumerable.Range(0, (int)rank).Select(axis => Fresh(output, axis))]
        : throw Fail($"no tensor has {rank} axes");

    public LortaException Fail(string why) => ModelErrors.CannotInfer(node, why);

    /// <summary>States an output. What the rule does not know stays as the file declares it.</summary>
    public void Set(int output, ElementType type, Shape? shape, IReadOnlyList<Dim>? content = null)
    {
        if (output >= Outputs || node.Outputs[output] is not { } value) return;
        if (type != ElementType.Undefined) value.Type = type;
        if (shape?.Any(dim => dim.Value < 0) == true) throw Fail($"an output of shape {shape}");
        if (shape is not null)
            value.Shape = value.Shape is { } declared && declared.Rank == shape.Rank ? Merge(output, shape, declared) : shape;

        // Elements of two shapes that broadcast ([n, 1] and [1, n]) are no list of n.
        var fits = value.Shape?.Size.Value is not { } size || size == content?.Count;
        value.Content = fits && content?.Count <= Contents.Limit ? content : null;
    }

    /// <summary>Shapes together, after ONNX's rules of broadcasting; null where one is unknown.</summary>
    public Shape? Broadcast(int output, params ReadOnlySpan<Shape?> shapes)
    {
        var rank = 0;
        foreach (var shape in shapes)
        {
            if (shape is null) return null;
            rank = Math.Max(rank, shape.Rank);
        }
        var dims = new Dim[rank];
        Array.Fill(dims, 1);
        foreach (var shape in shapes)
            for (int i = 0, axis = rank - shape!.Rank; axis < rank; i++, axis++) dims[axis] = Broadcast(output, axis, dims[axis], shape[i]);
        return Tensors.Shape.Create(dims);
    }

    private Dim Broadcast(int output, int axis, Dim a, Dim b) => (a.Value, b.Value) switch
    {
        _ when a == b || b.Is(1) => a,
        (1, _) => b,
        ({ } x, { } y) => throw Fail($"sizes {x} and {y} of axis {axis} do not fit together"),
        ({ }, null) => a,
        (null, { }) => b,
        _ => Fresh(output, axis),   // equal when the graph runs, or one of them 1
    };

    private Shape Merge(int output, Shape inferred, Shape declared) =>
        [.. inferred.Select((dim, axis) => dim == Fresh(output, axis) ? declared[axis] : dim)];

    private string FreshName(int output, int axis) => $"{(output < Outputs ? node.Outputs[output]?.Name : null) ?? node.Label}.{axis}";
}
