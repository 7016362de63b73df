using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Where the elements of a view lie in the tensor that is viewed: each axis as runs of stored positions.</summary>
/// <remarks>A stored [2, 3] has the axes (stride 3, size 2) and (stride 1, size 3); its transpose has them the other way round; reshaped
/// to [6] it has one axis of both.</remarks>
internal sealed class StoredAxes
{
    private readonly IReadOnlyList<IReadOnlyList<Run>> _axes;

    private StoredAxes(IReadOnlyList<IReadOnlyList<Run>> axes) => _axes = axes;

    /// <summary>Sizes of the view.</summary>
    public long[] Dims => [.. _axes.Select(axis => axis.Select(run => run.Size).Size())];

    /// <summary>The stored tensor itself.</summary>
    public static StoredAxes Of(IReadOnlyList<long> dims)
    {
        var axes = new IReadOnlyList<Run>[dims.Count];
        var stride = 1L;
        for (var axis = dims.Count - 1; axis >= 0; axis--)
        {
            axes[axis] = dims[axis] == 1 ? [] : [new Run(stride, dims[axis])];
            stride *= dims[axis];
        }
        return new StoredAxes(axes);
    }

    /// <summary>The axes in another order; null: the reverse one.</summary>
    public StoredAxes? Transpose(long[]? order)
    {
        if (order is null) return new StoredAxes([.. _axes.Reverse()]);
        return order.Length == _axes.Count && order.All(axis => axis >= 0 && axis < order.Length)
            ? new StoredAxes([.. order.Select(axis => _axes[(int)axis])])
            : null;
    }

    /// <summary>The same elements in the same order under other sizes; null where a run of stored positions would be cut
    /// unevenly.</summary>
    public StoredAxes? Reshape(IReadOnlyList<long> dims)
    {
        var open = new LinkedList<Run>(Merged(_axes.SelectMany(axis => axis)));
        var axes = new List<IReadOnlyList<Run>>();
        foreach (var dim in dims)
        {
            var taken = new List<Run>();
            for (var left = dim; left != 1;)
            {
                if (left < 1 || open.First is not { Value: { Size: > 0 } run }) return null;
                open.RemoveFirst();
                if (left % run.Size == 0)
                {
                    taken.Add(run);
                    left /= run.Size;
                }
                else if (run.Size % left == 0)
                {
                    var inner = run.Size / left;
                    taken.Add(new Run(run.Stride * inner, left));
                    open.AddFirst(run with { Size = inner });
                    left = 1;
                }
                else
                {
                    return null;
                }
            }
            axes.Add([.. Merged(taken)]);
        }
        return open.Count == 0 ? new StoredAxes(axes) : null;
    }

    /// <summary>The view as a matrix, axes of length 1 left out: whether it is the transpose of the stored one, and the sizes of
    /// that.</summary>
    /// <returns>Null where rows and columns are no rows or columns of the stored tensor.</returns>
    public (bool IsTransposed, long Rows, long Columns)? Matrix()
    {
        if (_axes.Count < 2) return null;
        var longer = _axes.Where(axis => axis.Count > 0).ToList();
        if (longer is [[var first], [var second]])
            return first.Stride > second.Stride ? (false, first.Size, second.Size) : (true, second.Size, first.Size);
        if (longer.Count > 1 || longer.Any(axis => axis.Count > 1)) return null;
        return Dims is [.., var rows, var columns] ? (false, rows, columns) : null;   // a row, a column or a single number
    }

    /// <summary>The position along an axis of the element that is stored at a place.</summary>
    public long IndexAlong(int axis, long stored)
    {
        var index = 0L;
        foreach (var run in _axes[axis]) index = (index * run.Size) + (stored / run.Stride % run.Size);
        return index;
    }

    private static List<Run> Merged(IEnumerable<Run> runs)
    {
        var merged = new List<Run>();
        foreach (var run in runs)
        {
            if (merged is [.., var last] && last.Stride == run.Stride * run.Size) merged[^1] = new Run(run.Stride, last.Size * run.Size);
            else merged.Add(run);
        }
        return merged;
    }

    private readonly record struct Run(long Stride, long Size);
}
