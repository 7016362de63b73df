using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

internal sealed class LargestDeviationTests
{
    [TestCase(1, 3, 2, ExpectedResult = 3)]
    [TestCase(1, double.NaN, 2, ExpectedResult = double.PositiveInfinity)]
    [TestCase(ExpectedResult = 0)]
    public double No_number_is_worse_than_any(params double[] differences) => LargestDeviation.Of(differences);

    [Test]
    public void None_is_none()
    {
        Assert.That(LargestDeviation.OrNone([null, null]), Is.Null);
        Assert.That(LargestDeviation.OrNone([null, double.NaN, 1]), Is.EqualTo(double.PositiveInfinity));
    }
}
