using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention.Walks;

/// <summary>Which output features of a product belong to one matrix, and how many heads they make.</summary>
/// <param name="Columns">Ranges of the product's output features, head by head.</param>
/// <param name="Heads">Heads; null for a matrix of an MLP.</param>
/// <param name="Output">The value [.., features] that holds these and no others; null where the file has none (heads of several matrices
/// interleave).</param>
internal sealed record HeadFeatures(FeatureRanges Columns, int? Heads, Value? Output)
{
    /// <summary>Where the features are at attention itself; null where heads are repeated or joined with earlier ones on the way.</summary>
    public FeatureFlow? AtAttention { get; init; }

    /// <summary>Sends the features of a projection along the walk back to attention; null where it cannot be said where they go.</summary>
    /// <remarks><code>
    /// a product of 12 features, Split in three, the second part reshaped to [B, S, 2, 2]:
    /// its features 4 5 | 6 7 make the heads of k, so Columns = 4…7, Heads = 2,
    /// and Output is the Split's second output, which holds these and no others.
    /// </code></remarks>
    public static HeadFeatures? Of(ProjectionWalk walk)
    {
        var end = 1 + walk.Steps.ToList().FindLastIndex(step => step.EndsHeads);
        var (grid, holder) = Followed(walk, end);
        if (grid?.Heads() is not { } heads || heads.DistinctBy(head => head.Length).Count() != 1) return null;
        var columns = FeatureRanges.OfNumbers(heads.SelectMany(head => head));
        return new HeadFeatures(columns, heads.Count, OutputOf(walk, holder, columns)) { AtAttention = end == 0 ? grid : null };
    }

    /// <summary>The features of a part of an MLP, in the order that they have there; it has no heads. Null where it cannot be said which
    /// they are.</summary>
    public static HeadFeatures? OfPart(ProjectionWalk walk)
    {
        var (grid, holder) = Followed(walk, 0);
        if (grid is null || grid.Dims[^1] != grid.Features.Length) return null;
        var columns = FeatureRanges.OfNumbers(grid.Features);
        return new HeadFeatures(columns, null, OutputOf(walk, holder, columns));
    }

    /// <summary>Whether what attention makes arrives at the output projection head by head.</summary>
    /// <param name="walk">The way from attention to the output projection.</param>
    /// <param name="queries">The features of the queries at attention, where they are known.</param>
    public static bool ArriveInOrder(ProjectionWalk walk, FeatureFlow? queries)
    {
        var grid = FeatureFlow.Made(walk.Values[0], queries);
        for (var i = 0; i < walk.Steps.Count && grid is not null; i++)
            grid = (walk.Steps[i].Moves ?? FeatureFlow.Keep)(grid, walk.Values[i + 1]);
        return grid is not null && grid.Features.Index().All(item => item.Index == item.Item) && grid.Dims[^1] == walk.Linear!.In;
    }

    // The features at the walk's start (or at an end before), and the last value on the way that took some of them; null where those are
    // parts of what was computed.
    private static (FeatureFlow? Grid, Value? Holder) Followed(ProjectionWalk walk, int end)
    {
        var linear = walk.Linear!;
        var grid = FeatureFlow.At(linear.Output, linear.Out);
        var output = linear.Output;
        var isComputed = false;
        var isLate = false;
        for (var i = walk.Steps.Count - 1; i >= end && grid is not null; i--)
        {
            var count = grid.Features.Length;
            grid = (walk.Steps[i].Moves ?? FeatureFlow.Keep)(grid, walk.Values[i]);
            isComputed |= walk.Steps[i].Computes;
            if (grid is null || grid.Features.Length == count) continue;
            output = walk.Values[i];
            isLate |= isComputed;
        }
        return (grid, isLate ? null : output);
    }

    // Features in another order than the file's lie in no value of the graph one behind the other.
    private static Value? OutputOf(ProjectionWalk walk, Value? holder, FeatureRanges columns)
    {
        var product = walk.Linear!.Output;
        return holder is not null && HasRowsOf(product, holder) && holder.Shape![^1].Is(columns.Width)
            && columns.IsAscending && IsReadInPartsOnly(product, holder) ? holder : null;
    }

    // Who reads the whole product must see its adapter too.
    private static bool IsReadInPartsOnly(Value product, Value output) =>
        product == output
        || (!product.Producer!.Graph!.IsKnownByName(product)
            && product.Uses.All(use => use.Node.Op is "Split" or "Slice" or "Gather" or "Shape"
                || (use.Node.Op is "Reshape" or "Transpose" && IsReadInPartsOnly(use.Node.Output, output))));

    // An adapter's result has the rows of the product: [batch, sequence, ..], or both flattened, as Gemm wants them.
    private static bool HasRowsOf(Value product, Value output) =>
        output == product
            || (product.Shape is { } rows
                && output.Shape is { } shape
                && shape.Rank == rows.Rank
                && shape.Range(0, shape.Rank - 1).Equals(rows.Range(0, rows.Rank - 1)));
}
