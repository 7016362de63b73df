using System.Numerics;

namespace LoRTA.Onnx.GraphGen.Ir.Tensors;

/// <summary>Sizes, axes and indices that are plain numbers.</summary>
internal static class Dims
{
    /// <summary>Number of elements.</summary>
    /// <exception cref="OverflowException">More than the type counts.</exception>
    public static T Size<T>(this IEnumerable<T> dims)
        where T : INumber<T> => dims.Aggregate(T.One, (size, dim) => checked(size * dim));

    /// <summary>An axis or index counted from the front: a negative one counts from the end.</summary>
    public static long FromFront(this long index, long count) => index < 0 ? index + count : index;

    /// <summary>A bound of a range as a place in it: what lies outside becomes its start or its end.</summary>
    public static long Bounded(this long bound, long count) => Math.Clamp(bound.FromFront(count), 0, count);
}
