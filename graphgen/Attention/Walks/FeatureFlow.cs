using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Which output feature of a projection each element of a value is. Sent along a walk, it shows which features make which
/// head.</summary>
/// <remarks>Rows (batch, sequence) are followed as parts of the axes, whatever their size: a fixed length may equal the heads or their
/// width. Only features are followed one by one; a size that the file leaves open counts as 1.
/// <code>
/// product      [B, S, 4]      features 0 1 2 3
/// Reshape      [B, S, 2, 2]   features 0 1 | 2 3      (two heads of width two)
/// Transpose    [B, 2, S, 2]   features 0 1 | 2 3      (rows of S lie between; each head still holds the same features)
/// </code></remarks>
/// <param name="Axes">The parts that each axis is made of, outermost first; parts of size 1 are left out.</param>
/// <param name="Features">The feature of each element of one row, row-major.</param>
/// <param name="Together">Features that are rotated into each other: they must make one head.</param>
internal sealed record FeatureFlow(IReadOnlyList<IReadOnlyList<AxisPart>> Axes, int[] Features, IReadOnlyList<int[]> Together)
{
    private const long Most = 1 << 22;   // features of one matrix

    private readonly int[] _strides = StridesOf([.. Axes.Select(FeaturesOf)]);

    /// <summary>How many features each axis has; 1 for an axis of rows only.</summary>
    public int[] Dims { get; } = [.. Axes.Select(FeaturesOf)];

    /// <summary>The features at the projection itself: 0, 1, … along the last axis.</summary>
    public static FeatureFlow? At(Value value, long features)
    {
        if (DimsOf(value) is not [.. var rows, var last] || last != features || last >= Most) return null;
        return new FeatureFlow([.. rows.Select(size => Part(size, isRow: true)), Part(last, isRow: false)],
            [.. Enumerable.Range(0, (int)last)], []);
    }

    /// <summary>The features that attention makes: 0, 1, … head by head, the width of a head last.</summary>
    /// <param name="value">The result [.., width] of attention.</param>
    /// <param name="queries">The features of its queries, which show what are heads and what are rows; null where that is not known: all
    /// sizes that are numbers count as heads.</param>
    public static FeatureFlow? Made(Value value, FeatureFlow? queries)
    {
        if (DimsOf(value) is not [.. var outer, var width]) return null;
        var leading = queries is null
            ? [.. outer.Select(size => Part(size, isRow: false))]
            : Regrouped(queries.Axes.Take(queries.Axes.Count - 1), outer);
        if (leading is null) return null;
        IReadOnlyList<IReadOnlyList<AxisPart>> axes = [.. leading, Part(width, isRow: false)];
        if (axes.Aggregate(1L, (size, axis) => Math.Min(Most, size * FeaturesOf(axis))) >= Most) return null;   // rows, not heads
        return new FeatureFlow(axes, [.. Enumerable.Range(0, axes.Select(FeaturesOf).Size())], []);
    }

    /// <summary>Steps that leave every feature at its place.</summary>
    public static FeatureFlow? Keep(FeatureFlow grid, Value result) => grid.HasSizesOf(result) ? grid : null;

    /// <summary>Reshape, Squeeze, Unsqueeze.</summary>
    public static FeatureFlow? Reshape(FeatureFlow grid, Value result) =>
        result.Shape is not null && Regrouped(grid.Axes, DimsOf(result)) is { } axes
            ? new FeatureFlow(axes, grid.Features, grid.Together)
            : null;

    /// <summary>Transpose.</summary>
    public static FeatureFlow? Transpose(FeatureFlow grid, Value result) =>
        grid.Moved(result.Producer!.Ints("perm") is { } perm
            ? Array.ConvertAll(perm, axis => (int)axis)
            : [.. Enumerable.Range(0, grid.Axes.Count).Reverse()]);

    /// <summary>The last two axes exchanged.</summary>
    public FeatureFlow? Transposed() => Moved([.. Enumerable.Range(0, Axes.Count - 2), Axes.Count - 1, Axes.Count - 2]);

    /// <summary>Split, Slice, Gather by constants: some of the elements along an axis.</summary>
    public static FeatureFlow? Choose(FeatureFlow grid, Value result)
    {
        var node = result.Producer!;
        var chosen = node.Op switch
        {
            "Split" => grid.Split(node, result),
            "Slice" => grid.Slice(node),
            _ => grid.Gather(node),
        };
        return chosen is null ? null : Reshape(chosen, result);   // one of several by a single number drops the axis
    }

    /// <summary>Concat: features one behind the other along an axis.</summary>
    public static FeatureFlow? Join(IReadOnlyList<FeatureFlow> grids, Value result)
    {
        var (first, node) = (grids[0], result.Producer!);
        if (grids.Count != node.Inputs.Count) return null;
        var axis = node.Axis(first.Axes.Count);
        if (grids.Any(grid => !grid.HasAxesOf(first, except: axis) || grid.Axes[axis].Any(part => part.IsRow))) return null;
        var outer = first.Dims[..axis].Size();
        IReadOnlyList<IReadOnlyList<AxisPart>> axes =
            [.. first.Axes.Take(axis), Part(grids.Sum(grid => grid.Dims[axis]), isRow: false), .. first.Axes.Skip(axis + 1)];
        var features = from before in Enumerable.Range(0, outer)
                       from grid in grids
                       let length = grid.Dims[axis] * grid.Stride(axis)
                       from feature in grid.Features.AsSpan(before * length, length).ToArray()
                       select feature;
        return Keep(new FeatureFlow(axes, [.. features], [.. grids.SelectMany(grid => grid.Together)]), result);
    }

    /// <summary>Whether two values have the same rows and features on every axis, maybe but for one.</summary>
    public bool HasAxesOf(FeatureFlow other, int except = -1) =>
        Axes.Count == other.Axes.Count && Enumerable.Range(0, Axes.Count)
            .All(axis => axis == except || Joined([Axes[axis]]).SequenceEqual(Joined([other.Axes[axis]])));

    /// <summary>The features of each head, ascending: of the axes along which features differ, the last is the width. Null where those of
    /// one head do not lie side by side in the projection, or are mixed with others.</summary>
    public IReadOnlyList<int[]>? Heads()
    {
        var varying = Enumerable.Range(0, Dims.Length).Where(Varies).ToArray();
        if (varying.Length == 0) return null;
        IReadOnlyList<IReadOnlyList<AxisPart>> axes = [.. varying.Select(axis => Part(Dims[axis], isRow: false))];
        var grid = new FeatureFlow(axes,
            [.. Features.Where((_, i) => Enumerable.Range(0, Dims.Length).Except(varying).All(axis => Position(i, axis) == 0))],
            Together);
        var heads = grid.Features.Chunk(grid.Dims[^1]).Select(head => head.Order().ToArray()).DistinctBy(head => head[0]).ToList();
        return heads.All(head => head[^1] - head[0] == head.Length - 1 && head.Distinct().Count() == head.Length) && AreApart(heads)
            ? heads
            : null;
    }

    // Whether features that are mixed with each other are all in one head.
    private bool AreApart(List<int[]> heads)
    {
        var headOf = heads.Index().SelectMany(head => head.Item.Select(feature => (feature, head.Index))).DistinctBy(pair => pair.feature)
            .ToDictionary(pair => pair.feature, pair => pair.Index);
        return Together.All(group => group.Select(feature => headOf.GetValueOrDefault(feature, -1)).Distinct().Count() == 1);
    }

    private static long[] DimsOf(Value value) => value.Shape is { } shape ? [.. shape.Select(dim => dim.Evaluate(_ => 1))] : [];

    private static AxisPart[] Part(long size, bool isRow) => size == 1 ? [] : [new AxisPart(size, isRow)];

    private static long SizeOf(IEnumerable<AxisPart> axis) => axis.Select(part => part.Size).Size();

    private static int FeaturesOf(IEnumerable<AxisPart> axis) => (int)Math.Min(Most, SizeOf(axis.Where(part => !part.IsRow)));

    private static int[] StridesOf(int[] dims) =>
        [.. Enumerable.Range(0, dims.Length).Select(axis => dims[(axis + 1)..].Size())];

    // The same parts, in the same order, on axes of the given sizes; a part may be cut in two. Null where the sizes do not allow that.
    private static IReadOnlyList<IReadOnlyList<AxisPart>>? Regrouped(IEnumerable<IReadOnlyList<AxisPart>> axes, long[] sizes)
    {
        var (parts, result) = (new Stack<AxisPart>(Enumerable.Reverse(Joined(axes))), new List<IReadOnlyList<AxisPart>>());
        foreach (var size in sizes)
        {
            var (axis, open) = (new List<AxisPart>(), size);
            while (open > 1)
            {
                if (!parts.TryPop(out var part) || part.Size == 0) return null;
                var taken = part.Size <= open ? part.Size : open;
                if (open % taken != 0 || part.Size % taken != 0) return null;
                if (taken < part.Size) parts.Push(part with { Size = part.Size / taken });
                axis.Add(part with { Size = taken });
                open /= taken;
            }
            if (open < 1) return null;
            result.Add(axis);
        }
        return parts.Count == 0 ? result : null;
    }

    // Neighbours of one kind are one part: 4·3 features may be cut into 6·2.
    private static List<AxisPart> Joined(IEnumerable<IReadOnlyList<AxisPart>> axes)
    {
        var joined = new List<AxisPart>();
        foreach (var part in axes.SelectMany(axis => axis))
        {
            if (joined is [.., var last] && last.IsRow == part.IsRow) joined[^1] = part with { Size = last.Size * part.Size };
            else joined.Add(part);
        }
        return joined;
    }

    private bool HasSizesOf(Value value) => DimsOf(value).AsSpan().SequenceEqual(Axes.Select(SizeOf).ToArray());

    private FeatureFlow? Moved(int[] axes)
    {
        var rank = Dims.Length;
        if (axes.Length != rank) return null;
        var (dims, from) = (Array.ConvertAll(axes, axis => Dims[axis]), Array.ConvertAll(axes, Stride));
        var strides = StridesOf(dims);
        return new FeatureFlow(
            [.. axes.Select(axis => Axes[axis])],
            [.. Enumerable.Range(0, Features.Length)
                .Select(i => Features[Enumerable.Range(0, rank).Sum(axis => i / strides[axis] % dims[axis] * from[axis])])],
            Together);
    }

    private int Stride(int axis) => _strides[axis];

    private int Position(int element, int axis) => element / Stride(axis) % Dims[axis];

    private bool Varies(int axis) => Features.Where((feature, i) => feature != Features[i - (Position(i, axis) * Stride(axis))]).Any();

    private FeatureFlow? Split(Node node, Value result)
    {
        if (node.Input(0)!.Shape is not { } shape) return null;
        var axis = shape.Axis(node.Int("axis", 0));
        var sizes = node.Outputs.Select(output => output?.Shape?[axis].Value).ToList();
        var part = node.Outputs.Index().First(item => item.Item == result).Index;
        if (sizes.Take(part + 1).Any(size => size is null) || sizes[part] >= Most) return null;
        var start = sizes.Take(part).Sum()!.Value;
        return Take(axis, Enumerable.Range(0, (int)sizes[part]!.Value).Select(index => start + index));
    }

    private FeatureFlow? Slice(Node node)
    {
        var facts = new NodeFacts(node);
        if (facts.Longs(1) is not { } starts || facts.Longs(2) is not { } ends) return null;
        var axes = facts.Longs(3) ?? [.. Enumerable.Range(0, starts.Length).Select(axis => (long)axis)];
        var (grid, steps) = (this, facts.Longs(4) ?? [.. starts.Select(_ => 1L)]);
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = (int)axes[i].FromFront(Dims.Length);
            if (steps[i] < 1) return null;
            var size = SizeOf(grid.Axes[axis]);
            var (start, end) = (starts[i].Bounded(size), ends[i].Bounded(size));
            if ((start, end, steps[i]) == (0, size, 1)) continue;
            if (end - start >= Most) return null;
            var taken = Enumerable.Range(0, (int)Math.Max(0, end - start))
                .Where(index => index % steps[i] == 0)
                .Select(index => start + index);
            if (grid.Take(axis, taken) is not { } cut) return null;
            grid = cut;
        }
        return grid;
    }

    private FeatureFlow? Gather(Node node)
    {
        if (new NodeFacts(node).Longs(1) is not { } indices) return null;
        var axis = node.Axis(Dims.Length);
        var size = SizeOf(Axes[axis]);
        return indices.All(index => index >= -size && index < size)
            ? Take(axis, indices.Select(index => index.FromFront(size)))
            : null;
    }

    private FeatureFlow? Take(int axis, IEnumerable<long> indices)
    {
        var taken = indices.ToArray();
        if (taken.Length == SizeOf(Axes[axis]) && taken.Index().All(item => item.Index == item.Item)) return this;
        var areRows = Axes[axis].All(part => part.IsRow);
        if (!areRows && Axes[axis].Any(part => part.IsRow)) return null;   // some heads of some rows
        IReadOnlyList<IReadOnlyList<AxisPart>> axes = [.. Axes.Take(axis), Part(taken.Length, areRows), .. Axes.Skip(axis + 1)];
        if (areRows) return new FeatureFlow(axes, Features, Together);
        var (stride, outer) = (Stride(axis), Dims[..axis].Size());
        return new FeatureFlow(axes,
            [.. from before in Enumerable.Range(0, outer) from index in taken from after in Enumerable.Range(0, stride)
            select Features[(((before * Dims[axis]) + index) * stride) + after]], Together);
    }
}

/// <summary>A part of an axis: the axis [batch·heads] has a part of rows and one of heads.</summary>
/// <param name="Size">Its size.</param>
/// <param name="IsRow">Whether it counts rows (of the batch, of the sequence) rather than features.</param>
internal readonly record struct AxisPart(long Size, bool IsRow);
