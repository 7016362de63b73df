using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Rounds a folded matrix so that its layer's output stays close, by the second moments of the layer's input.</summary>
/// <param name="matrix">The stored matrix as it was.</param>
/// <param name="layout">How it is stored.</param>
/// <param name="moments">Of the input.</param>
internal sealed class CalibratedRounding(QuantizedMatrix matrix, Layout layout, SecondMoments moments)
{
    private const long Large = 1 << 22;

    private readonly long _inputs = layout is Layout.OutIn ? matrix.Columns : matrix.Rows;
    private readonly long _outputs = layout is Layout.OutIn ? matrix.Rows : matrix.Columns;

    /// <summary>Improves a plain rounding; no block of a column becomes worse.</summary>
    /// <param name="wanted">The exact numbers.</param>
    /// <param name="rounded">The plain rounding, which is changed.</param>
    public void Improve(float[] wanted, RoundedNumbers rounded)
    {
        var tiles = (_outputs + RoundedColumns.Lanes - 1) / RoundedColumns.Lanes;
        var blocks = moments.Blocks.Select(block => (Block: block, Groups: OwnScales(block))).ToList();
        Parallel.For(0, tiles, () =>
            new RoundedColumns(matrix.Lowest, matrix.Highest, matrix.StoredScale, isLarge: _inputs * _outputs >= Large),
            (tile, _, columns) =>
        {
            foreach (var (block, groups) in blocks)
            {
                Load(columns, block, tile * RoundedColumns.Lanes, wanted, rounded);
                if (columns.Improve(block, groups)) Store(columns, block, groups, tile * RoundedColumns.Lanes, rounded);
            }
            return columns;
        }, _ => { });
    }

    // Lanes behind the last column repeat it.
    private void Load(RoundedColumns columns, FeatureBlock block, long first, float[] wanted, RoundedNumbers rounded)
    {
        var target = columns.Wanted;
        var codes = columns.Codes;
        var scales = columns.Scales;
        var zeros = columns.Zeros;
        for (var lane = 0; lane < RoundedColumns.Lanes; lane++)
        {
            var output = Math.Min(first + lane, _outputs - 1);
            for (var k = 0; k < block.Count; k++)
            {
                var (row, column) = Place(block.Start + block.Order[k], output);
                var (at, to) = ((row * matrix.Columns) + column, (k * RoundedColumns.Lanes) + lane);
                target[to] = wanted[at];
                codes[to] = matrix.Signed(rounded.Codes[at]);
                scales[to] = rounded.Scales[matrix.ScaleIndex(row, column)];
                zeros[to] = matrix.ZeroAt(row, column);
            }
        }
    }

    private void Store(RoundedColumns columns, FeatureBlock block, IReadOnlyList<int[]> groups, long first, RoundedNumbers rounded)
    {
        var codes = columns.Codes;
        var scales = columns.Scales;
        var mask = (1 << matrix.Layout.Bits) - 1;
        for (var lane = 0; lane < Math.Min(RoundedColumns.Lanes, _outputs - first); lane++)
        {
            for (var k = 0; k < block.Count; k++)
            {
                var (row, column) = Place(block.Start + block.Order[k], first + lane);
                rounded.Codes[(row * matrix.Columns) + column] = (byte)((int)codes[(k * RoundedColumns.Lanes) + lane] & mask);
            }
            foreach (var group in groups)
            {
                var (row, column) = Place(block.Start + block.Order[group[0]], first + lane);
                rounded.Scales[matrix.ScaleIndex(row, column)] = scales[(group[0] * RoundedColumns.Lanes) + lane];
            }
        }
    }

    private (long Row, long Column) Place(long input, long output) => layout is Layout.OutIn ? (output, input) : (input, output);

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
}
