using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>A named value of a graph: an input, a constant (initializer), or an output of a node.</summary>
[Experimental(Unsettled.Id)]
public sealed class Value
{
    private readonly List<Use> _uses = [];

    internal Value(string name) => Name = name;

    /// <summary>Name, unique in the graph.</summary>
    public string Name { get; internal set; }

    /// <summary>Element type, as declared or inferred.</summary>
    public ElementType Type { get; internal set; }

    /// <summary>Shape, as declared or inferred; null where not even the rank is known.</summary>
    public Shape? Shape { get; internal set; }

    /// <summary>The numbers of a constant, or the default of an overridable input.</summary>
    public OnnxTensor? Constant { get; internal set; }

    /// <summary>The node that makes this value; null for inputs and constants.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Who reads this value, in the order in which the uses were made.</summary>
    public IReadOnlyList<Use> Uses => _uses;

    /// <summary>What inference knows of the elements of a small integer tensor (a shape on its way to a Reshape).</summary>
    internal IReadOnlyList<Dim>? Content { get; set; }

    /// <summary>The file's own declaration (ValueInfoProto), kept so that it is written back to the letter.</summary>
    internal ReadOnlyMemory<byte> Declaration { get; set; }

    /// <summary>Fields of the stored tensor that are not modelled (documentation, text elements).</summary>
    internal ReadOnlyMemory<byte> Remainder { get; set; }

    /// <summary>Whether the file keeps this constant in a second file.</summary>
    public bool IsExternal { get; set; }

    /// <summary>Whether this is an initializer that no input can override.</summary>
    public bool IsConstant => Constant is not null && Producer is null && !IsInput;

    /// <summary>Whether the file stores this value: an initializer, also one that is listed as an input, whose default it then
    /// is.</summary>
    internal bool IsStored => Constant is not null && Producer is null;

    /// <summary>Whether this is an input of the graph (maybe with a default).</summary>
    internal bool IsInput { get; set; }

    /// <summary>Whether a subgraph of some node reads this value by its name.</summary>
    internal bool IsCaptured => _uses.Exists(use => use.Index < 0);

    /// <summary>Rank; the shape must be known.</summary>
    internal int Rank => Shape!.Rank;

    /// <summary>The numbers of an initializer, or of a Constant node's output.</summary>
    internal OnnxTensor? StoredTensor() => Constant ?? Producer?.ConstantTensor();

    internal void AddUse(Use use) => _uses.Add(use);

    internal void RemoveUse(Use use) => _uses.Remove(use);

    /// <summary>Name, type and shape, for messages.</summary>
    public override string ToString() => $"{Name}: {Type.Display()}{Shape?.ToString() ?? "[?]"}";
}

/// <summary>One place where a value is read: input <paramref name="Index"/> of <paramref name="Node"/> (−1: captured by a subgraph of
/// it).</summary>
/// <param name="Node">The reader.</param>
/// <param name="Index">Position among its inputs.</param>
[Experimental(Unsettled.Id)]
public readonly record struct Use(Node Node, int Index);
