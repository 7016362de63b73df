using System.Collections;
using System.Runtime.CompilerServices;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Features of a wider matrix as ranges [start, end), in the order of whoever they belong to: one range of a packed matrix,
/// several where heads interleave.</summary>
[CollectionBuilder(typeof(FeatureRanges), nameof(Of))]
public sealed class FeatureRanges : IReadOnlyList<(long Start, long End)>
{
    private readonly (long Start, long End)[] _ranges;

    private FeatureRanges((long Start, long End)[] ranges) => _ranges = ranges;

    /// <summary>Number of ranges.</summary>
    public int Count => _ranges.Length;

    /// <summary>Number of features.</summary>
    public long Width => _ranges.Sum(range => range.End - range.Start);

    /// <summary>The features by their numbers, one range after the other.</summary>
    public IEnumerable<long> Numbers
    {
        get
        {
            foreach (var (start, end) in _ranges)
                for (var number = start; number < end; number++) yield return number;
        }
    }

    /// <summary>Whether the features lie in the order of the matrix.</summary>
    internal bool IsAscending => _ranges.Zip(_ranges.Skip(1)).All(pair => pair.First.End <= pair.Second.Start);

    /// <summary>A range.</summary>
    /// <param name="index">Its place in the order.</param>
    public (long Start, long End) this[int index] => _ranges[index];

    /// <summary>These ranges.</summary>
    /// <param name="ranges">[start, end) each.</param>
    public static FeatureRanges Of(ReadOnlySpan<(long Start, long End)> ranges) => new(ranges.ToArray());

    /// <summary>Features in the given order, neighbours in one range.</summary>
    internal static FeatureRanges OfNumbers(IEnumerable<int> features)
    {
        var runs = new List<(long Start, long End)>();
        foreach (var feature in features)
        {
            if (runs is [.., var last] && last.End == feature) runs[^1] = (last.Start, feature + 1);
            else runs.Add((feature, feature + 1));
        }
        return [.. runs];
    }

    /// <summary>What a matrix of a width has beyond these, in its order.</summary>
    internal FeatureRanges Gaps(long width)
    {
        var gaps = new List<(long Start, long End)>();
        var at = 0L;
        foreach (var (start, end) in _ranges.OrderBy(range => range.Start))
        {
            if (start > at) gaps.Add((at, start));
            at = end;
        }
        if (at < width) gaps.Add((at, width));
        return [.. gaps];
    }

    internal bool Overlaps(FeatureRanges other) =>
        _ranges.Any(range => other._ranges.Any(further => range.Start < further.End && further.Start < range.End));

    internal FeatureRanges Shifted(long by) => [.. _ranges.Select(range => (range.Start + by, range.End + by))];

    /// <summary>For people: <c>0–8, 16–24</c>.</summary>
    public override string ToString() => string.Join(", ", _ranges.Select(range => $"{range.Start}–{range.End}"));

    /// <summary>The ranges in order.</summary>
    public IEnumerator<(long Start, long End)> GetEnumerator() => _ranges.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
