using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Rounds a folded matrix so that its layer's output stays close, by the second moments of the layer's input.</summary>
/// <param name="matrix">The stored matrix as it was.</param>
/// <param name="layout">How it is stored.</param>
/// <param name="moments">Of the input.</param>
internal sealed class CalibratedRounding(QuantizedMatrix matrix, Layout layout, SecondMoments moments)
{
    private const long Large = 1 << 22;
    private const int Tiles = 32;   // that are rounded by the moments of one block, while they are in the cache

    private readonly long _inputs = layout is Layout.OutIn ? matrix.Columns : matrix.Rows;
    private readonly long _outputs = layout is Layout.OutIn ? matrix.Rows : matrix.Columns;
    private readonly float[] _signed = [.. Enumerable.Range(0, 256).Select(code => (float)matrix.Signed((byte)code))];

    /// <summary>Improves a plain rounding; no block of a column becomes worse.</summary>
    /// <param name="wanted">The exact numbers.</param>
    /// <param name="rounded">The plain rounding, which is changed.</param>
    public void Improve(float[] wanted, RoundedNumbers rounded)
    {
        var tiles = (_outputs + RoundedColumns.Lanes - 1) / RoundedColumns.Lanes;
        var blocks = moments.Blocks.Select(PartOf).ToList();
        Func<float, float>? storedScale = matrix.Scales.Type == ElementType.Float ? null : matrix.StoredScale;
        Parallel.For(0, (tiles + Tiles - 1) / Tiles, () =>
            new RoundedColumns(matrix.Lowest, matrix.Highest, storedScale, isLarge: _inputs * _outputs >= Large),
            (group, _, columns) =>
        {
            foreach (var part in blocks)
            {
                for (var tile = group * Tiles; tile < Math.Min(tiles, (group + 1) * Tiles); tile++)
                {
                    Load(columns, part, tile * RoundedColumns.Lanes, wanted, rounded);
                    if (columns.Improve(part.Block, part.Groups)) Store(columns, part, tile * RoundedColumns.Lanes, rounded);
                }
            }
            return columns;
        }, _ => { });
    }

    // Lanes behind the last column repeat it.
    private void Load(RoundedColumns columns, Part part, long first, float[] wanted, RoundedNumbers rounded)
    {
        var target = columns.Wanted;
        var codes = columns.Codes;
        for (var lane = 0; lane < RoundedColumns.Lanes; lane++)
        {
            var (number, scale) = OfOutput(Math.Min(first + lane, _outputs - 1));
            var exact = wanted.AsSpan(number);
            var old = rounded.Codes.AsSpan(number);
            var to = lane;
            foreach (var place in part.Numbers)
            {
                target[to] = exact[place];
                codes[to] = _signed[old[place]];
                to += RoundedColumns.Lanes;
            }
            foreach (var (place, features) in part.Scales)
                columns.SetScale(lane, features, rounded.Scales[scale + place], matrix.ZeroAt(scale + place));
        }
        foreach (var (_, features) in part.Scales) columns.RepeatScale(features);
    }

    private void Store(RoundedColumns columns, Part part, long first, RoundedNumbers rounded)
    {
        var codes = columns.Codes;
        var scales = columns.Scales;
        var numbers = part.Numbers.AsSpan();
        var mask = (1 << matrix.Layout.Bits) - 1;
        for (var lane = 0; lane < Math.Min(RoundedColumns.Lanes, _outputs - first); lane++)
        {
            var (number, scale) = OfOutput(first + lane);
            var stored = rounded.Codes.AsSpan(number);
            var from = lane;
            for (var k = 0; k < numbers.Length; k++, from += RoundedColumns.Lanes) stored[numbers[k]] = (byte)((int)codes[from] & mask);
            foreach (var (place, features) in part.Scales)   // those of several blocks are as they were
                rounded.Scales[scale + place] = scales[(features[0] * RoundedColumns.Lanes) + lane];
        }
    }

    // A number's place among all, and its scale's, are sums of a part of the output and one of the input.
    private (int Number, int Scale) OfOutput(long output) => layout is Layout.OutIn ? Place(output, 0) : Place(0, output);

    private Part PartOf(FeatureBlock block)
    {
        var places = block.Order.Select(k => block.Start + k)
            .Select(input => layout is Layout.OutIn ? Place(0, input) : Place(input, 0)).ToList();
        var scales = places.Select((place, k) => (place.Scale, Feature: k)).GroupBy(place => place.Scale, place => place.Feature);
        return new Part(block, OwnScales(block), [.. places.Select(place => place.Number)],
            [.. scales.Select(scale => (scale.Key, scale.ToArray()))]);
    }

    private (int Number, int Scale) Place(long row, long column) =>
        ((int)((row * matrix.Columns) + column), matrix.ScaleIndex(row, column));

    // The features of each scale that lies wholly in a block and belongs to one column.
    private List<int[]> OwnScales(FeatureBlock block)
    {
        var (across, along) = layout is Layout.OutIn
            ? (matrix.Layout.BlockRows, matrix.Layout.BlockColumns)
            : (matrix.Layout.BlockColumns, matrix.Layout.BlockRows);
        if (across > 1) return [];
        return [.. Enumerable.Range(0, block.Count)
            .GroupBy(k => (block.Start + block.Order[k]) / along)
            .Where(group => group.Key * along >= block.Start && Math.Min(_inputs, (group.Key + 1) * along) <= block.Start + block.Count)
            .OrderBy(group => group.Key)
            .Select(group => group.ToArray())];
    }

    /// <summary>A block of input features in this matrix.</summary>
    /// <param name="Block">The block.</param>
    /// <param name="Groups">Those that share a scale of their own.</param>
    /// <param name="Numbers">What each feature adds to a number's place.</param>
    /// <param name="Scales">What features that share a scale add to its place.</param>
    private sealed record Part(FeatureBlock Block, IReadOnlyList<int[]> Groups, int[] Numbers, (int Place, int[] Features)[] Scales);
}
