using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Pearson and Spearman correlation and mean squared error of predicted numbers.</summary>
/// <remarks>Spearman needs the ranks of all numbers, so all are kept.</remarks>
internal sealed class RegressionMetrics : IMetrics
{
    private readonly List<double> _predicted = [];
    private readonly List<double> _expected = [];

    /// <summary>Adds rows whose predicted number is logit 0.</summary>
    /// <param name="logits">[rows, any].</param>
    /// <param name="labels">[rows].</param>
    public void Add(OnnxTensor logits, OnnxTensor labels)
    {
        var scores = logits.ToFloats();
        var expected = labels.ToFloats();
        var width = (int)logits.Dims[^1];
        for (var row = 0; row < expected.Length; row++) Add(scores[row * width], expected[row]);
    }

    public IEnumerable<Metric> Values(double loss) =>
        [new("pearson", Pearson), new("spearman", Spearman), new("mse", MeanSquaredError, IsHigherBetter: false)];

    public void Add(double predicted, double expected)
    {
        _predicted.Add(predicted);
        _expected.Add(expected);
    }

    /// <summary>mean (x − y)²; 0 without rows.</summary>
    public double MeanSquaredError => _predicted.Count == 0 ? 0 : _predicted.Zip(_expected, (x, y) => (x - y) * (x - y)).Average();

    /// <summary>Linear correlation; 0 where one side is constant.</summary>
    public double Pearson => Correlation(_predicted, _expected);

    /// <summary>Correlation of the ranks; equal numbers share their mean rank.</summary>
    public double Spearman => Correlation(Ranks(_predicted), Ranks(_expected));

    // Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)²·Σ(y − ȳ)²), means first: exact enough for numbers far from 0.
    private static double Correlation(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        if (x.Count == 0) return 0;
        var (meanX, meanY) = (x.Average(), y.Average());
        double xy = 0, xx = 0, yy = 0;
        for (var i = 0; i < x.Count; i++)
        {
            var (dx, dy) = (x[i] - meanX, y[i] - meanY);
            xy += dx * dy;
            xx += dx * dx;
            yy += dy * dy;
        }
        return xx > 0 && yy > 0 ? xy / Math.Sqrt(xx * yy) : 0;
    }

    private static double[] Ranks(List<double> values)
    {
        var order = Enumerable.Range(0, values.Count).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Count];
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && values[order[end]].Equals(values[order[start]]);) end++;
            for (var i = start; i < end; i++) ranks[order[i]] = (start + end + 1) / 2.0;   // ranks start + 1 … end
        }
        return ranks;
    }
}
