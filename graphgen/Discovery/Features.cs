using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Which output features of a product belong to one matrix, and how many heads they make.</summary>
/// <param name="Columns">Ranges of the product's output features.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Output">The value that holds these features and no others.</param>
internal sealed record Features(IReadOnlyList<(long Start, long End)> Columns, int Heads, Value Output)
{
    /// <summary>Follows a walk from the projection back to attention; null where no split into heads is seen.</summary>
    public static Features? Of(Walk walk)
    {
        var (linear, output, start, end) = (walk.Linear!, walk.Linear!.Output, 0L, walk.Linear!.Out);
        foreach (var value in walk.Values.Reverse().Skip(1))
        {
            if (value.Producer is not { } node || value.Shape is not { } shape) return null;
            if (node.OpType is "Split" or "Slice")
            {
                if (RangeOf(node, value) is not { } range || node.Input(0)!.Shape?[-1].Is(end - start) != true) return null;
                (start, end, output) = (start + range.Start, start + range.End, value);
            }
            else if (shape.Rank >= 4 && shape[-1].Value is { } width && shape[-2].Value is { } heads && heads * width == end - start)
            {
                return new Features([(start, end)], (int)heads, output);
            }
        }
        return null;
    }

    // Only slices of the last axis choose features.
    private static (long Start, long End)? RangeOf(Node node, Value part)
    {
        if (node.Input(0)!.Shape is not { } shape || part.Shape is not { } own || own[-1].Value is not { } width) return null;
        if (shape.Rank != own.Rank || Enumerable.Range(0, shape.Rank - 1).Any(axis => shape[axis] != own[axis])) return null;
        if (node.Is("Split"))
        {
            var before = node.Outputs.TakeWhile(output => output != part).Select(output => output?.Shape?[-1].Value).ToList();
            return before.All(size => size is not null) ? (before.Sum()!.Value, before.Sum()!.Value + width) : null;
        }
        if (node.Input(4) is { } steps && !(steps.IsConstant && steps.Constant!.ToLongs().All(step => step == 1))) return null;
        if (node.Input(1) is not { IsConstant: true, Constant: { Count: 1 } starts } || shape[-1].Value is not { } total) return null;
        var start = starts.ToLongs()[0];
        start = start < 0 ? start + total : start;
        return (start, start + width);
    }
}
