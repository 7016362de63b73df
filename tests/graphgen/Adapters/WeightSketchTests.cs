using LoRTA.Onnx.GraphGen.Adapters;

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

    private static WeightSketch Of(float[] values) => new(0, new Dictionary<string, IReadOnlyList<float>> { ["layers.0.q"] = values });
}
