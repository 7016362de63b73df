using LoRTA.Onnx.GraphGen.Adapters.Families;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

internal sealed class TensorTrainTests
{
    [TestCase(512, 4, new long[] { 4, 4, 4, 8 })]
    [TestCase(256, 4, new long[] { 4, 4, 4, 4 })]
    [TestCase(128, 4, new long[] { 4, 4, 8 })]
    [TestCase(2048, 4, new long[] { 4, 4, 4, 4, 8 })]
    [TestCase(48, 5, new long[] { 8, 6 })]
    [TestCase(7, 4, new long[] { 7 })]
    [TestCase(3, 4, new long[] { 3 })]
    [TestCase(1, 4, new long[] { 1 })]
    public void Modes_are_prime_factors_multiplied_until_large_enough(long elements, int least, long[] expected) =>
        Assert.That(TensorTrain.ModesOf(elements, least), Is.EqualTo(expected));
}
