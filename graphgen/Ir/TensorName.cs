using System.Diagnostics.CodeAnalysis;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>Name of a tensor in graphs and files: its kind, a dot, and what it belongs to, as in <c>factor.layers.3.q.A</c>.</summary>
/// <param name="Kind">One of <see cref="TensorKind"/>, or an optimizer's own; empty where a name has no dot.</param>
/// <param name="Name">A factor, a parameter of the model, a site.</param>
[Experimental(Unsettled.Id)]
public readonly record struct TensorName(string Kind, string Name)
{
    /// <summary>Reads a name: the kind is what stands before the first dot.</summary>
    public static TensorName Parse(string text) => text.Split('.', 2) is [var kind, var name] ? new(kind, name) : new(string.Empty, text);

    /// <summary>The whole name.</summary>
    public override string ToString() => Kind.Length == 0 ? Name : $"{Kind}.{Name}";

    /// <summary>The whole name.</summary>
    public static implicit operator string(TensorName name) => name.ToString();
}

/// <summary>Kinds of named tensors.</summary>
[Experimental(Unsettled.Id)]
public static class TensorKind
{
    /// <summary>A factor: an input of graphs; in adapter files factors go without a kind.</summary>
    public const string Factor = "factor";

    /// <summary>In goldens: a factor that stays as it is.</summary>
    public const string Frozen = "frozen";

    /// <summary>A trained parameter of the model itself: an input of graphs, and so in adapter files.</summary>
    public const string Parameter = "param";

    /// <summary>A gradient: an output of graphs.</summary>
    public const string Gradient = "gradient";

    /// <summary>State of the adapter family: in checkpoints.</summary>
    public const string Family = "family";

    /// <summary>A mask of dropout: an input of graphs.</summary>
    public const string Dropout = "dropout";
}
