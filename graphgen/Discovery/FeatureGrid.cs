using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Which output feature of a projection each element of a value is. Sent along a walk, it shows which features make which head.</summary>
/// <param name="Dims">The value's sizes; those that vary (batch, sequence) are taken as 1.</param>
/// <param name="Features">The feature of each element, row-major.</param>
internal sealed record FeatureGrid(int[] Dims, int[] Features)
{
    private static readonly int[] None = [];

    private readonly int[] _strides = [.. Enumerable.Range(0, Dims.Length).Select(axis => Size(Dims[(axis + 1)..]))];

    /// <summary>The features at the projection itself: 0, 1, … along the last axis.</summary>
    public static FeatureGrid? At(Value value, long features) =>
        DimsOf(value) is [.., var last] dims && last == features ? new FeatureGrid(dims, [.. Enumerable.Range(0, Size(dims)).Select(i => i % last)]) : null;

    /// <summary>The features that attention makes: 0, 1, … head by head, the width of a head last.</summary>
    public static FeatureGrid? Made(Value value) => DimsOf(value) is { Length: > 0 } dims ? new FeatureGrid(dims, [.. Enumerable.Range(0, Size(dims))]) : null;

    /// <summary>Steps that leave every feature at its place.</summary>
    public static FeatureGrid? Keep(FeatureGrid grid, Value result) => DimsOf(result).AsSpan().SequenceEqual(grid.Dims) ? grid : null;

    /// <summary>Reshape, Squeeze, Unsqueeze.</summary>
    public static FeatureGrid? Reshape(FeatureGrid grid, Value result) =>
        DimsOf(result) is var dims && result.Shape is not null && Size(dims) == grid.Features.Length ? new FeatureGrid(dims, grid.Features) : null;

    /// <summary>Transpose.</summary>
    public static FeatureGrid? Transpose(FeatureGrid grid, Value result)
    {
        var rank = grid.Dims.Length;
        var axes = result.Producer!.Ints("perm") is { } perm ? Array.ConvertAll(perm, axis => (int)axis) : [.. Enumerable.Range(0, rank).Reverse()];
        if (axes.Length != rank) return null;
        var (dims, from) = (Array.ConvertAll(axes, axis => grid.Dims[axis]), Array.ConvertAll(axes, axis => grid.Stride(axis)));
        var moved = new FeatureGrid(dims, None);
        return new FeatureGrid(dims, [.. Enumerable.Range(0, grid.Features.Length).Select(i => grid.Features[Enumerable.Range(0, rank).Sum(axis => i / moved.Stride(axis) % dims[axis] * from[axis])])]);
    }

    /// <summary>Split, Slice, Gather by constants: some of the elements along an axis.</summary>
    public static FeatureGrid? Choose(FeatureGrid grid, Value result)
    {
        var node = result.Producer!;
        var chosen = node.OpType switch
        {
            "Split" => grid.Split(node, result),
            "Slice" => grid.Slice(node),
            _ => grid.Gather(node),
        };
        return DimsOf(result) is var dims && result.Shape is not null && chosen?.Features.Length == Size(dims) ? new FeatureGrid(dims, chosen.Features) : null;
    }

    /// <summary>The features of each head: of the axes along which features differ, the last is the width. Null where those of one head do not lie side by side.</summary>
    public IReadOnlyList<int[]>? Heads()
    {
        var varying = Enumerable.Range(0, Dims.Length).Where(Varies).ToArray();
        var grid = new FeatureGrid(Array.ConvertAll(varying, axis => Dims[axis]), [.. Features.Where((_, i) => Enumerable.Range(0, Dims.Length).Except(varying).All(axis => Position(i, axis) == 0))]);
        return varying.Length > 0 && grid.IsRun(varying.Length - 1) ? grid.Rows(varying.Length - 1) : null;
    }

    private static int[] DimsOf(Value value) => value.Shape is { } shape ? [.. shape.Select(dim => (int)dim.Evaluate(_ => 1))] : None;

    private static int Size(int[] dims) => dims.Aggregate(1, (size, dim) => size * dim);

    private int Stride(int axis) => _strides[axis];

    private int Position(int element, int axis) => element / Stride(axis) % Dims[axis];

    private bool Varies(int axis) => Features.Where((feature, i) => feature != Features[i - (Position(i, axis) * Stride(axis))]).Any();

    private bool IsRun(int axis) => Features.Where((feature, i) => Position(i, axis) > 0 && feature != Features[i - Stride(axis)] + 1).Any() is false;

    private int[][] Rows(int width) =>
        [.. Features.Index().Where(item => Position(item.Index, width) == 0).Select(item => Enumerable.Range(item.Item, Dims[width]).ToArray()).DistinctBy(row => row[0])];

    private FeatureGrid? Split(Node node, Value result)
    {
        if (node.Input(0)!.Shape is not { } shape) return null;
        var axis = shape.Axis(node.Int("axis", 0));
        var sizes = node.Outputs.Select(output => output?.Shape?[axis].Value).ToList();
        var part = node.Outputs.Index().First(item => item.Item == result).Index;
        return sizes.Take(part + 1).All(size => size is not null) ? Take(axis, Enumerable.Range((int)sizes.Take(part).Sum()!.Value, (int)sizes[part]!.Value)) : null;
    }

    private FeatureGrid? Slice(Node node)
    {
        var facts = new NodeFacts(node);
        if (facts.Longs(1) is not { } starts || facts.Longs(2) is not { } ends) return null;
        var axes = facts.Longs(3) ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        var (grid, steps) = (this, facts.Longs(4) ?? [.. starts.Select(_ => 1L)]);
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = (int)(axes[i] < 0 ? axes[i] + Dims.Length : axes[i]);
            if (steps[i] < 1) return null;
            var (start, end) = (Clamp(starts[i], Dims[axis]), Clamp(ends[i], Dims[axis]));
            grid = grid.Take(axis, Enumerable.Range(start, Math.Max(0, end - start)).Where(index => (index - start) % steps[i] == 0));
        }
        return grid;

        static int Clamp(long index, int size) => (int)Math.Clamp(index < 0 ? index + size : index, 0, size);
    }

    private FeatureGrid? Gather(Node node)
    {
        if (new NodeFacts(node).Longs(1) is not { } indices) return null;
        var axis = (int)node.Int("axis", 0) is var given && given < 0 ? given + Dims.Length : given;
        return indices.All(index => index >= -Dims[axis] && index < Dims[axis]) ? Take(axis, indices.Select(index => (int)(index < 0 ? index + Dims[axis] : index))) : null;
    }

    private FeatureGrid Take(int axis, IEnumerable<int> indices)
    {
        var (taken, stride, outer) = (indices.ToArray(), Stride(axis), Size(Dims[..axis]));
        int[] dims = [.. Dims[..axis], taken.Length, .. Dims[(axis + 1)..]];
        return new FeatureGrid(dims, [.. from before in Enumerable.Range(0, outer) from index in taken from after in Enumerable.Range(0, stride) select Features[(((before * Dims[axis]) + index) * stride) + after]]);
    }
}
