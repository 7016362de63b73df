using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Which output features of a product belong to one matrix, and how many heads they make.</summary>
/// <param name="Columns">Ranges of the product's output features, head by head.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Output">The value [.., features] that holds these and no others; null where the file has none (heads of several matrices interleave).</param>
internal sealed record Features(IReadOnlyList<(long Start, long End)> Columns, int Heads, Value? Output)
{
    /// <summary>Number of features.</summary>
    public long Count => Columns.Sum(range => range.End - range.Start);

    /// <summary>Sends the features of a projection along the walk back to attention; null where it cannot be said where they go.</summary>
    public static Features? Of(Walk walk)
    {
        var linear = walk.Linear!;
        var (grid, output) = (FeatureGrid.At(linear.Output, linear.Out), linear.Output);
        for (var i = walk.Steps.Count - 1; i >= 0 && !walk.Steps[i].EndsHeads && grid is not null; i--)
        {
            var count = grid.Features.Length;
            grid = (walk.Steps[i].Moves ?? FeatureGrid.Keep)(grid, walk.Values[i]);
            if (grid is not null && grid.Features.Length != count) output = walk.Values[i];
        }
        if (grid?.Heads() is not { } heads || heads.DistinctBy(head => head.Length).Count() != 1) return null;
        var features = new Features(Runs(heads.SelectMany(head => head)), heads.Count, null);
        return features with { Output = HasRowsOf(linear.Output, output) && output.Shape![^1].Is(features.Count) ? output : null };
    }

    // An adapter's result has the rows of the product: [batch, sequence, ..], or both flattened, as Gemm wants them.
    private static bool HasRowsOf(Value product, Value output) =>
        output == product || (product.Shape is { } rows && output.Shape is { } shape && shape.Rank == rows.Rank && shape.Range(0, shape.Rank - 1).Equals(rows.Range(0, rows.Rank - 1)));

    private static List<(long Start, long End)> Runs(IEnumerable<int> features)
    {
        var runs = new List<(long Start, long End)>();
        foreach (var feature in features)
        {
            if (runs is [.., var last] && last.End == feature) runs[^1] = (last.Start, feature + 1);
            else runs.Add((feature, feature + 1));
        }
        return runs;
    }
}
