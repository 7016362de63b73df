using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace LoRTA.Onnx.GraphGen.Ir.Tensors;

/// <summary>A shape: its dimensions, outermost first. Equal when all dimensions are.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
[Experimental(Unsettled.Id)]
public sealed class Shape : IReadOnlyList<Dim>, IEquatable<Shape>
{
    private readonly Dim[] _dims;

    private Shape(Dim[] dims) => _dims = dims;

    /// <summary>Number of dimensions.</summary>
    public int Rank => _dims.Length;

    /// <inheritdoc/>
    public int Count => _dims.Length;

    /// <summary>Number of elements.</summary>
    public Dim Size => _dims.Aggregate(new Dim(1), (product, dim) => product * dim);

    /// <summary>Dimension <paramref name="axis"/>; a negative axis counts from the end.</summary>
    public Dim this[int axis] => _dims[Axis(axis)];

    /// <summary>A shape of the given dimensions.</summary>
    public static Shape Create(ReadOnlySpan<Dim> dims) => new(dims.ToArray());

    /// <summary>The shape of a constant.</summary>
    public static Shape Of(OnnxTensor tensor) => new([.. tensor.Dims.Select(dim => new Dim(dim))]);

    /// <summary>Whether all dimensions are numbers.</summary>
    public bool IsKnown => _dims.All(dim => dim.IsKnown);

    /// <summary>The dimensions as numbers, or null where one is symbolic.</summary>
    public long[]? Known => IsKnown ? [.. _dims.Select(dim => dim.Value!.Value)] : null;

    /// <summary>The shape with another size at <paramref name="axis"/>.</summary>
    internal Shape With(int axis, Dim dim) => [.. _dims[..axis], dim, .. _dims[(axis + 1)..]];

    /// <summary>Dimensions <paramref name="start"/> … <paramref name="end"/> − 1.</summary>
    internal Shape Range(int start, int end) => new(_dims[start..end]);

    internal int Axis(long axis) => (int)axis.FromFront(Rank);

    /// <inheritdoc/>
    public bool Equals(Shape? other) => other is not null && _dims.AsSpan().SequenceEqual(other._dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public IEnumerator<Dim> GetEnumerator() => ((IEnumerable<Dim>)_dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _dims.GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", _dims)}]";
}
