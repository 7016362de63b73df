using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Tensors;

internal sealed class DimsTests
{
    [TestCase(new long[0], 1)]
    [TestCase(new long[] { 2, 3, 4 }, 24)]
    [TestCase(new long[] { 5, 0 }, 0)]
    public void Size_is_the_number_of_elements(long[] dims, long size) => Assert.That(dims.Size(), Is.EqualTo(size));

    [Test]
    public void A_size_that_no_number_holds_is_an_overflow() =>
        Assert.That(() => new[] { 1L << 40, 1L << 40 }.Size(), Throws.TypeOf<OverflowException>());

    [TestCase(0, 0)]
    [TestCase(-1, 3)]
    [TestCase(-4, 0)]
    [TestCase(9, 9)]
    public void A_negative_axis_counts_from_the_end(long axis, long fromFront) => Assert.That(axis.FromFront(4), Is.EqualTo(fromFront));

    [TestCase(-9, 0)]
    [TestCase(-1, 3)]
    [TestCase(long.MaxValue, 4)]
    public void A_bound_outside_of_a_range_is_its_start_or_end(long bound, long place) => Assert.That(bound.Bounded(4), Is.EqualTo(place));
}
