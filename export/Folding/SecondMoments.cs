using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>Second moments E[x xᵀ] of the input of a linear layer, in blocks of 128 features: what an error of the weights does to the
/// layer's output.</summary>
/// <param name="width">Features of x.</param>
internal sealed class SecondMoments(int width)
{
    /// <summary>Features of a block.</summary>
    public const int BlockWidth = 128;

    private readonly double[][] _sums =
        [.. Enumerable.Range(0, (width + BlockWidth - 1) / BlockWidth)
        .Select(block => new double[Width(width, block) * Width(width, block)])];
    private IReadOnlyList<FeatureBlock>? _blocks;

    /// <summary>The blocks, each ready to round with; asked once nothing is added any more.</summary>
    public IReadOnlyList<FeatureBlock> Blocks
    {
        get
        {
            lock (_sums) return _blocks ??= Made();   // layers that read the same x may be rounded at once
        }
    }

    /// <summary>Adds some rows of x.</summary>
    /// <param name="x">[.., features].</param>
    /// <param name="mask">Rows that count are not 0; null, or of another size = all.</param>
    public void Add(OnnxTensor x, OnnxTensor? mask)
    {
        if (x.Dims[^1] != width) return;   // a layer whose input is not what its weight says is rounded without
        var (values, kept) = (x.ToFloats(), mask is not null && mask.Count * width == x.Count ? mask.ToFloats() : null);
        Parallel.For(0, _sums.Length, block => Add(values, kept, block));
    }

    private void Add(float[] values, float[]? kept, int block)
    {
        var (sums, size) = (_sums[block], Width(width, block));
        var row = new double[size];
        for (var at = 0; at < values.Length / width; at++)
        {
            if (kept is not null && kept[at] == 0) continue;
            TensorPrimitives.ConvertChecked<float, double>(values.AsSpan((at * width) + (block * BlockWidth), size), row);
            for (var i = 0; i < size; i++)
            {
                var part = sums.AsSpan((i * size) + i, size - i);
                TensorPrimitives.MultiplyAdd(row.AsSpan(i), row[i], part, part);
            }
        }
    }

    private FeatureBlock[] Made()
    {
        var blocks = new FeatureBlock[_sums.Length];
        Parallel.For(0, blocks.Length, block =>
        {
            blocks[block] = FeatureBlock.Of(_sums[block], block * BlockWidth, Width(width, block));
            _sums[block] = [];
        });
        return blocks;
    }

    private static int Width(int width, int block) => Math.Min(BlockWidth, width - (block * BlockWidth));
}

/// <summary>The second moments of a few neighbouring features, the largest first, and what they say about passing on an error.</summary>
/// <param name="Start">The first feature.</param>
/// <param name="Order">The features by falling variance, relative to <paramref name="Start"/>.</param>
/// <param name="Moments">H [n, n] in that order, damped.</param>
/// <param name="Feedback">V [n, n], upper triangular with ones on its diagonal, H⁻¹ = Vᵀ·D·V: rounding feature k by e changes the best
/// value of feature j &gt; k by e·V[k, j].</param>
internal sealed record FeatureBlock(int Start, int[] Order, PanelMatrix Moments, PanelMatrix Feedback)
{
    private const double Damping = 0.01;   // of the mean variance, as GPTQ has it

    public int Count => Order.Length;

    /// <summary>A block of sums of x·xᵀ, of which the upper triangle is filled.</summary>
    public static FeatureBlock Of(double[] sums, int start, int count)
    {
        var mean = Enumerable.Range(0, count).Average(i => sums[(i * count) + i]);
        if (!double.IsFinite(mean) || mean <= 0) return Plain(start, count);
        int[] order = [.. Enumerable.Range(0, count).OrderByDescending(i => sums[(i * count) + i])];
        var h = new double[count * count];
        for (var i = 0; i < count; i++)
            for (var j = 0; j < count; j++)
                h[(i * count) + j] = (sums[(Math.Min(order[i], order[j]) * count) + Math.Max(order[i], order[j])] / mean)
                    + (i == j ? Damping : 0);
        var u = InvertedUpper(UpperFactor(h, count), count);
        for (var i = 0; i < count; i++)
        {
            var row = u.AsSpan(i * count, count);
            TensorPrimitives.Divide(row, row[i], row);
        }
        return u.All(double.IsFinite)
            ? new FeatureBlock(start, order, PanelMatrix.Of(h, count), PanelMatrix.Of(u, count))
            : Plain(start, count);
    }

    // Nothing is known: every feature counts the same and tells nothing about another.
    private static FeatureBlock Plain(int start, int count)
    {
        var numbers = new double[count * count];
        for (var i = 0; i < count; i++) numbers[(i * count) + i] = 1;
        var one = PanelMatrix.Of(numbers, count);
        return new FeatureBlock(start, [.. Enumerable.Range(0, count)], one, one);
    }

    // R upper triangular with H = R·Rᵀ, from the last row up.
    private static double[] UpperFactor(double[] h, int n)
    {
        var r = new double[n * n];
        for (var j = n - 1; j >= 0; j--)
        {
            for (var i = j; i >= 0; i--)
            {
                var rest = h[(i * n) + j] - TensorPrimitives.Dot<double>(r.AsSpan((i * n) + j + 1, n - j - 1),
                    r.AsSpan((j * n) + j + 1, n - j - 1));
                r[(i * n) + j] = i == j ? Math.Sqrt(rest) : rest / r[(j * n) + j];
            }
        }
        return r;
    }

    // R⁻¹, by substitution row by row from below.
    private static double[] InvertedUpper(double[] r, int n)
    {
        var u = new double[n * n];
        for (var i = n - 1; i >= 0; i--)
        {
            var row = u.AsSpan(i * n, n);
            for (var k = i + 1; k < n; k++) TensorPrimitives.MultiplyAdd(u.AsSpan(k * n, n), -r[(i * n) + k], row, row);
            row[i] += 1;
            TensorPrimitives.Multiply(row, 1 / r[(i * n) + i], row);
        }
        return u;
    }
}
