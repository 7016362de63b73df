using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Tasks;

internal sealed class ClassificationMetricsTests
{
    // tp 6, fp 1, fn 2, tn 3
    private static readonly ClassificationMetrics Binary = Of(("11", 6), ("10", 1), ("01", 2), ("00", 3));

    [Test]
    public void Accuracy_counts_right_rows() => Assert.That(Binary.Accuracy, Is.EqualTo(9.0 / 12));

    [Test]
    public void F1_is_that_of_class_1() => Assert.That(Binary.F1, Is.EqualTo(12.0 / 15));

    [Test]
    public void Matthews_of_two_classes_is_the_usual_formula() =>
        Assert.That(Binary.Matthews, Is.EqualTo(((6.0 * 3) - (1 * 2)) / Math.Sqrt(7.0 * 8 * 4 * 5)).Within(1e-15));

    [Test]
    public void Matthews_takes_more_classes() =>
        Assert.That(Of(("00", 1), ("11", 1), ("22", 1), ("01", 1)).Matthews, Is.EqualTo(((3.0 * 4) - 5) / Math.Sqrt((16.0 - 6) * (16 - 6))).Within(1e-15));

    [Test]
    public void Matthews_of_a_constant_prediction_is_zero() => Assert.That(Of(("11", 3), ("10", 2)).Matthews, Is.Zero);

    [Test]
    public void Without_rows_everything_is_zero() =>
        Assert.That((new ClassificationMetrics().Accuracy, new ClassificationMetrics().F1, new ClassificationMetrics().Matthews), Is.EqualTo((0.0, 0.0, 0.0)));

    // "10": predicted 1, expected 0.
    private static ClassificationMetrics Of(params (string Cell, int Count)[] cells)
    {
        var metrics = new ClassificationMetrics();
        foreach (var (cell, count) in cells)
        {
            for (var i = 0; i < count; i++) metrics.Add(cell[0] - '0', cell[1] - '0');
        }
        return metrics;
    }
}
