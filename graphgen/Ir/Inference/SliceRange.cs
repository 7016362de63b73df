using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Inference;

/// <summary>The range start : end : step of a Slice, with symbolic ends.</summary>
internal static class SliceRange
{
    private const long Endless = int.MaxValue;   // exporters write the largest 32- or 64-bit number for "to the end"

    /// <summary>How many of <paramref name="size"/> elements lie in the range; null where that depends on the symbols.</summary>
    public static Dim? Length(Dim size, Dim start, Dim end, long step)
    {
        if (size.Value is { } n && start.Value is { } s && end.Value is { } e) return Count(n, s, e, step);
        if (step == -1) return start.Is(-1) && end.Value <= -Endless ? size : null;
        if (step < 1 || Bound(size, start) is not { } from || Bound(size, end) is not { } to) return null;
        var length = to - from;
        if (!IsNearlySize(length)) return null;
        return step == 1 ? length : Dim.Divide(length, step);
    }

    /// <summary>The elements of a known tensor in the range.</summary>
    public static IReadOnlyList<Dim>? Of(IReadOnlyList<Dim> content, Dim? start, Dim? end, long? step)
    {
        if (start?.Value is not { } s || end?.Value is not { } e || step is not { } by) return null;
        var (first, count) = (First(content.Count, s, by), Count(content.Count, s, e, by));
        return [.. Enumerable.Range(0, (int)count).Select(i => content[(int)(first + (i * by))])];
    }

    private static long First(long size, long start, long step) =>
        Math.Clamp(start.FromFront(size), 0, step > 0 ? size : Math.Max(size - 1, 0));

    private static long Count(long size, long start, long end, long step)
    {
        var to = end < 0 ? Math.Max(end, -Endless * 2) + size : end;
        to = step > 0 ? Math.Clamp(to, 0, size) : Math.Clamp(to, -1, size - 1);
        var length = (to - First(size, start, step) + step - Math.Sign(step)) / step;
        return Math.Max(length, 0);
    }

    // An end of the range as an index in 0 … size: what is beyond the size is the size, a negative one counts from the end.
    private static Dim? Bound(Dim size, Dim index) => index.Value switch
    {
        >= Endless => size,
        <= -Endless => 0,
        < 0 => size + index,
        { } known when size.Value is { } n => Math.Min(known, n),
        0 or 1 => index,
        { } => null,
        null when size.IsKnown || (size - index).IsSize => index,   // of a table of known length, a caller asks for no more than there is
        null when (index - size).IsSize => size,
        null => null,
    };

    // s and s − 1 are lengths (an empty axis aside); a difference of symbols may be negative.
    private static bool IsNearlySize(Dim length) => length.IsSize || (length.Value is null && (length + Endless).IsSize);
}
