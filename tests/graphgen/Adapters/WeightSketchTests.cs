using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

internal sealed class WeightSketchTests
{
    [Test]
    public void Equal_numbers_differ_nowhere() => Assert.That(Of([1, 2]).FirstDifference(Of([1, 2])), Is.Null);

    [TestCase(1f, float.NaN)]
    [TestCase(1f, float.PositiveInfinity)]
    public void Numbers_that_are_not_finite_are_a_difference(params float[] values) => Assert.That(Of([1, 2]).FirstDifference(Of(values))?.Address, Is.EqualTo("layers.0.q"));

    [Test]
    public void A_site_without_numbers_is_a_difference() =>
        Assert.That(new WeightSketch(0, new Dictionary<string, IReadOnlyList<float>>()).FirstDifference(Of([1, 2])), Is.EqualTo(("layers.0.q", double.PositiveInfinity)));

    [Test]
    public void Fewer_numbers_are_a_difference() => Assert.That(Of([]).FirstDifference(Of([1, 2]))?.Address, Is.EqualTo("layers.0.q"));

    [TestCase(ElementType.Float16)]
    [TestCase(ElementType.BFloat16)]
    public void Numbers_that_were_rounded_to_16_bits_are_the_same_weights(ElementType type)
    {
        float[] values = [0.1f, -0.7f, 1.3f, 0.033f, -0.2f, 0.9f, 0.41f, -1.1f];
        var rounded = new FloatNumbers(Tensor.FromBytes(type, [2, 4], StoredMatrix.Round(values, type)));

        var sketch = Of(rounded.Read()) with { Tolerance = rounded.Rounding };

        Assert.That(Of(values).FirstDifference(sketch), Is.Null);
        Assert.That(Of(values).FirstDifference(sketch with { Tolerance = 0 }), Is.Not.Null);
    }

    private static WeightSketch Of(float[] values) => new(0, new Dictionary<string, IReadOnlyList<float>> { ["layers.0.q"] = values });
}
