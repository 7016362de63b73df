using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>Operators that rearrange elements: reshape, transpose, join, cut, repeat, and those that ask for a shape.</summary>
internal static class MovementInference
{
    public static readonly InferenceRule[] All =
    [
        new("Shape", Shape),
        new("Size", f => f.Set(0, ElementType.Int64, [], f.Shape(0) is { } x ? [x.Size] : null)),
        new("Reshape", f => f.Set(0, f.Type(0), Reshape(f), f.Content(0))),
        new("Flatten", Flatten),
        new("Squeeze", f => f.Set(0, f.Type(0), Squeeze(f), f.Content(0))),
        new("Unsqueeze", f => f.Set(0, f.Type(0), Unsqueeze(f), f.Content(0))),
        new("Transpose", Transpose),
        new("Expand", Expand),
        new("Tile", Tile),
        new("Concat", Concat),
        new("Split", Split),
        new("Slice", Slice),
        new("Pad", Pad),
        new("Upsample", f => f.Set(0, f.Type(0), f.Shape(0) is { } x ? f.FreshShape(0, x.Rank) : null)),
        new("Resize", Resize),
        new(OrtOps.ExpandDims, f => f.Set(0, f.Type(0), f.Shape(0) is { } x ? f.FreshShape(0, x.Rank + 1) : null)),
    ];

    private static void Shape(NodeFacts f)
    {
        if (f.Shape(0) is not { } x)
        {
            f.Set(0, ElementType.Int64, f.FreshShape(0, 1));
            return;
        }
        var (start, end) = ((int)f.Int("start", 0).Bounded(x.Rank), (int)f.Int("end", x.Rank).Bounded(x.Rank));
        var part = x.Range(start, Math.Max(start, end));
        f.Set(0, ElementType.Int64, [part.Rank], part);
    }

    // 0 copies a dimension (unless allowzero), -1 takes what remains.
    private static Shape? Reshape(NodeFacts f)
    {
        if (f.Content(1) is not { } target) return f.Shape(1) is [var rank] && rank.Value is { } known ? f.FreshShape(0, known) : null;
        var x = f.Shape(0);
        var dims = target.ToArray();
        var copies = f.Int("allowzero", 0) == 0;
        for (var i = 0; i < dims.Length; i++)
            if (copies && dims[i].Is(0))
                dims[i] = x is null ? f.Fresh(0, i)
                    : i < x.Rank ? x[i]
                    : throw f.Fail($"dimension {i} to copy, of {x}");
        var hole = Array.FindIndex(dims, dim => dim.Is(-1));
        if (hole >= 0) dims[hole] = x is null ? f.Fresh(0, hole) : Remaining(f, x, dims, hole);
        Shape result = [.. dims];
        return x is null || x.Size.Value is not { } from || result.Size.Value is not { } to || from == to
            ? result
            : throw f.Fail($"{x} does not fit into {result}");
    }

    private static Dim Remaining(NodeFacts f, Shape x, Dim[] dims, int hole)
    {
        var (have, want) = (x.ToList(), new Dim(1));
        for (var i = 0; i < dims.Length; i++)
            if (i != hole && !have.Remove(dims[i])) want *= dims[i];
        var all = have.Aggregate(new Dim(1), (product, dim) => product * dim);
        if (Dim.Divide(all, want) is { } quotient) return quotient;
        return all.IsKnown && want.IsKnown && !want.Is(0)
            ? throw f.Fail($"{x} does not fit into [{string.Join(", ", dims)}]")
            : f.Fresh(0, hole);
    }

    private static void Flatten(NodeFacts f)
    {
        if (f.Shape(0) is not { } x)
        {
            f.Set(0, f.Type(0), f.FreshShape(0, 2));
            return;
        }
        var axis = f.Node.Axis(x.Rank, 1);
        if (axis < 0 || axis > x.Rank) throw f.Fail($"axis {axis} of a tensor of rank {x.Rank}");
        f.Set(0, f.Type(0), [x.Range(0, axis).Size, x.Range(axis, x.Rank).Size]);
    }

    private static Shape? Squeeze(NodeFacts f)
    {
        if (f.Shape(0) is not { } x) return null;
        if (!f.Gives("axes", 1)) return x.IsKnown ? [.. x.Where(dim => !dim.Is(1))] : null;
        if (f.Longs("axes", 1) is not { } axes)
            return f.Shape(1) is [var count] && count.Value is { } known ? f.FreshShape(0, x.Rank - known) : null;
        var gone = axes.Select(axis => f.Axis(axis, x.Rank)).ToHashSet();
        foreach (var axis in gone) if (x[axis].Value is { } size and not 1) throw f.Fail($"axis {axis} has size {size}, not 1");
        return [.. x.Where((_, axis) => !gone.Contains(axis))];
    }

    private static Shape? Unsqueeze(NodeFacts f)
    {
        if (f.Shape(0) is not { } x) return null;
        if (f.Longs("axes", 1) is not { } axes)
            return f.Shape(1) is [var count] && count.Value is { } known ? f.FreshShape(0, x.Rank + known) : null;
        var rank = x.Rank + axes.Length;
        var ones = axes.Select(axis => f.Axis(axis, rank)).ToHashSet();
        if (ones.Count < axes.Length) throw f.Fail($"axes [{string.Join(", ", axes)}] name an axis twice");
        using var rest = x.GetEnumerator();
        var dims = new Dim[rank];
        for (var axis = 0; axis < rank; axis++) dims[axis] = ones.Contains(axis) || !rest.MoveNext() ? 1 : rest.Current;
        return [.. dims];
    }

    private static void Transpose(NodeFacts f)
    {
        var x = f.Shape(0);
        var perm = f.Node.Ints("perm") ?? (x is null ? null : [.. Enumerable.Range(0, x.Rank).Reverse().Select(axis => (long)axis)]);
        if (perm is null)
        {
            f.Set(0, f.Type(0), null);
            return;
        }
        var isOrder = perm.Order().SequenceEqual(Enumerable.Range(0, perm.Length).Select(axis => (long)axis));
        if (!isOrder || perm.Length != (x?.Rank ?? perm.Length))
            throw f.Fail($"perm [{string.Join(", ", perm)}] is not a permutation of the axes of {f.Node.Input(0)}");
        var shape = x is null ? f.FreshShape(0, perm.Length) : [.. perm.Select(axis => x[(int)axis])];
        f.Set(0, f.Type(0), shape, x?.Rank <= 1 ? f.Content(0) : null);
    }

    private static void Expand(NodeFacts f)
    {
        var rank = f.Shape(1) is [var count] ? count.Value : null;
        Shape? target = f.Content(1) is { } content ? [.. content] : null;
        var shape = target is not null
            ? f.Broadcast(0, f.Shape(0), target)
            : rank is { } known && f.Shape(0) is { } x
                ? f.FreshShape(0, Math.Max(known, x.Rank))
                : null;
        f.Set(
            0,
            f.Type(0),
            shape,
            f.Content(0) is [var single] && shape is [var size] && size.Value is >= 0 and <= Contents.Limit and var n
                ? [.. Enumerable.Repeat(single, (int)n)]
                : null);
    }

    private static void Tile(NodeFacts f)
    {
        var x = f.Shape(0);
        f.AtLeast(f.Content(1)?.Count, x?.Rank, "repeats");
        Shape? shape = x is null ? null
            : f.Content(1) is { } times ? [.. x.Select((dim, axis) => dim * times[axis])]
            : f.FreshShape(0, x.Rank);
        f.Set(0, f.Type(0), shape);
    }

    private static void Concat(NodeFacts f)
    {
        var shapes = f.Node.Inputs.Select(input => input?.Shape).ToArray();
        var known = shapes.OfType<Shape>().FirstOrDefault();
        if (known is null) f.Set(0, f.Type(0), null);
        if (known is null) return;
        var axis = f.Axis(f.Int("axis", 0), known.Rank);
        if (shapes.OfType<Shape>().FirstOrDefault(shape => shape.Rank != known.Rank) is { } other)
            throw f.Fail($"{known} and {other} differ in rank");
        var dims = Enumerable.Range(0, known.Rank).Select(i => i == axis
            ? shapes.Aggregate((Dim?)0, (sum, shape) => shape is null ? null : sum + shape[axis]) ?? f.Fresh(0, axis)
            : Agreed(f, i, [.. shapes.OfType<Shape>().Select(shape => shape[i])]));
        f.Set(0, f.Type(0), [.. dims], known.Rank == 1 ? Joined(f) : null);
    }

    // Sizes that must be equal: a number where one is, else the first symbol.
    private static Dim Agreed(NodeFacts f, int axis, Dim[] dims)
    {
        var numbers = dims.Where(dim => dim.IsKnown).Distinct().ToArray();
        return numbers.Length > 1
            ? throw f.Fail($"sizes {numbers[0]} and {numbers[1]} of axis {axis} differ")
            : numbers.Length == 1
                ? numbers[0]
                : dims[0];
    }

    private static IReadOnlyList<Dim>? Joined(NodeFacts f)
    {
        var contents = f.Node.Inputs.Select((_, i) => f.Content(i)).ToArray();
        return contents.All(content => content is not null) ? [.. contents.SelectMany(content => content!)] : null;
    }

    private static void Split(NodeFacts f)
    {
        var x = f.Shape(0);
        var axis = x is null ? 0 : f.Axis(f.Int("axis", 0), x.Rank);
        var sizes = f.Node.Ints("split")?.Select(size => new Dim(size)).ToArray() ?? f.Content(1);
        var content = x?.Rank == 1 ? f.Content(0) : null;
        f.AtLeast(sizes?.Count, f.Outputs, "lengths");
        for (int output = 0, start = 0; output < f.Outputs; output++)
        {
            var size = x is null
                ? new Dim(0)
                : sizes is not null
                    ? sizes[output]
                    : f.Has(1)
                        ? f.Fresh(output, axis)
                        : Chunk(f, x[axis], output, axis);
            var part = content is not null && size.Value is { } n && start + n <= content.Count
                ? content.Skip(start).Take((int)n).ToArray()
                : null;
            f.Set(output, f.Type(0), x?.With(axis, size), part);
            start += part?.Length ?? 0;
        }
    }

    // Equal parts; where the number does not divide the size, the last one is smaller.
    private static Dim Chunk(NodeFacts f, Dim size, int output, int axis)
    {
        if (size.Value is not { } known) return Dim.Divide(size, f.Outputs) ?? f.Fresh(output, axis);
        var chunk = (known + f.Outputs - 1) / f.Outputs;
        return Math.Max(0, Math.Min(chunk, known - (chunk * output)));
    }

    private static void Slice(NodeFacts f)
    {
        if (f.Shape(0) is not { } x)
        {
            f.Set(0, f.Type(0), null);
            return;
        }
        var starts = Given("starts", 1);
        var ends = Given("ends", 2);
        var steps = f.Has(4) ? f.Longs(4) : null;
        var axes = f.Gives("axes", 3)
            ? f.Longs("axes", 3)
            : Enumerable.Range(0, starts?.Count ?? x.Rank).Select(axis => (long)axis).ToArray();
        CheckBounds(f, (starts, ends), steps, axes);
        var dims = x.ToArray();
        for (var i = 0; i < x.Rank && axes is null; i++) dims[i] = f.Fresh(0, i);
        for (var i = 0; i < axes?.Length; i++)
        {
            var axis = f.Axis(axes[i], x.Rank);
            var step = !f.Has(4) ? 1 : steps?[i];
            dims[axis] = starts is null || ends is null || step is null
                ? f.Fresh(0, axis)
                : SliceRange.Length(x[axis], starts[i], ends[i], step.Value) ?? f.Fresh(0, axis);
        }
        f.Set(
            0,
            f.Type(0),
            [.. dims],
            x.Rank == 1 && axes?.Length == 1 && f.Content(0) is { } content
                ? SliceRange.Of(content, starts?[0], ends?[0], f.Has(4) ? steps?[0] : 1)
                : null);

        IReadOnlyList<Dim>? Given(string attribute, int input) =>
            f.Node.Ints(attribute) is { } ints ? [.. ints.Select(value => new Dim(value))] : f.Content(input);
    }

    private static void CheckBounds(
        NodeFacts f, (IReadOnlyList<Dim>? Starts, IReadOnlyList<Dim>? Ends) bounds, long[]? steps, long[]? axes)
    {
        f.AtLeast(bounds.Starts?.Count, axes?.Length, "starts");
        f.AtLeast(bounds.Ends?.Count, axes?.Length, "ends");
        f.AtLeast(steps?.Length, axes?.Length, "steps");
        if (steps?.Contains(0) == true) throw f.Fail("it has a step of 0");
    }

    private static void Pad(NodeFacts f)
    {
        if (f.Shape(0) is not { } x)
        {
            f.Set(0, f.Type(0), null);
            return;
        }
        var pads = f.Node.Ints("pads")?.Select(pad => new Dim(pad)).ToArray() ?? f.Content(1);
        var axes = f.Has(3) ? f.Longs(3) : [.. Enumerable.Range(0, x.Rank).Select(axis => (long)axis)];
        f.AtLeast(pads?.Count, 2 * axes?.Length, "pads");
        var dims = pads is null || axes is null ? f.FreshShape(0, x.Rank).ToArray() : x.ToArray();
        for (var i = 0; pads is not null && i < axes?.Length; i++) dims[f.Axis(axes[i], x.Rank)] += pads[i] + pads[i + axes.Length];
        f.Set(0, f.Type(0), [.. dims]);
    }

    // sizes, or ⌊length·scale⌋; of the axes that are named
    private static void Resize(NodeFacts f)
    {
        if (f.Shape(0) is not { } x)
        {
            f.Set(0, f.Type(0), null);
            return;
        }
        var axes = f.Node.Ints("axes") ?? [.. Enumerable.Range(0, x.Rank).Select(axis => (long)axis)];
        var isStretched = f.Node.String("keep_aspect_ratio_policy", "stretch") == "stretch";
        var sizes = f.Has(3) && isStretched ? f.Content(3) : null;
        var scales = f.Node.Input(2)?.StoredTensor() is { } stored && stored.Type.IsFloat() ? stored.ToFloats() : null;
        var dims = x.ToArray();
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = f.Axis(axes[i], x.Rank);
            dims[axis] = sizes?.Count == axes.Length ? sizes[i]
                : scales?.Length != axes.Length || f.Has(3) ? f.Fresh(0, axis)
                : scales[i] == 1 ? dims[axis]
                : dims[axis].Value is { } length ? (long)Math.Floor(length * scales[i])
                : f.Fresh(0, axis);
        }
        f.Set(0, f.Type(0), [.. dims]);
    }
}
