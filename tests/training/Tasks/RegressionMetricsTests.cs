using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Tasks;

internal sealed class RegressionMetricsTests
{
    [Test]
    public void Mean_squared_error_is_the_mean_of_squares() => Assert.That(Of((1, 2), (3, 5)).MeanSquaredError, Is.EqualTo(2.5));

    [Test]
    public void Pearson_is_the_linear_correlation() => Assert.That(Of((1, 1), (2, 3), (3, 2)).Pearson, Is.EqualTo(0.5).Within(1e-15));

    [Test]
    public void Spearman_sees_order_only() => Assert.That(Of((1, 10), (2, 1000), (3, 1001)).Spearman, Is.EqualTo(1).Within(1e-15));

    // Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5 / √(4.5·5).
    [Test]
    public void Ties_share_their_mean_rank() => Assert.That(Of((1, 1), (2, 3), (2, 2), (3, 4)).Spearman, Is.EqualTo(4.5 / Math.Sqrt(22.5)).Within(1e-15));

    [Test]
    public void A_constant_side_correlates_with_nothing() => Assert.That(Of((1, 1), (1, 2)).Pearson, Is.Zero);

    private static RegressionMetrics Of(params (double Predicted, double Expected)[] rows)
    {
        var metrics = new RegressionMetrics();
        foreach (var (predicted, expected) in rows) metrics.Add(predicted, expected);
        return metrics;
    }
}
