namespace LoRTA.Onnx.Training.Tests.Recipes;

internal sealed class IntervalTests
{
    [TestCase(4, false, ExpectedResult = true)]
    [TestCase(5, true, ExpectedResult = false)]
    public bool A_number_of_steps_looks_at_the_step(long step, bool endsEpoch) => Interval.Every(2).Includes(step, endsEpoch);

    [TestCase(4, false, ExpectedResult = false)]
    [TestCase(5, true, ExpectedResult = true)]
    public bool Epoch_looks_at_the_end_of_the_epoch(long step, bool endsEpoch) => Interval.Epoch.Includes(step, endsEpoch);

    [Test]
    public void Never_is_never() => Assert.That(Interval.Never.Includes(1, endsEpoch: true), Is.False);
}
