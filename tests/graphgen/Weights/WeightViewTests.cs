using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Weights;

internal sealed class WeightViewTests
{
    // W [2, 3] = 1 2 3 / 4 5 6 inside a packed product of five output features: 0, 2 and 3 are its own.
    private static readonly float[] InOut = [1, -1, 2, 3, -1, 4, -1, 5, 6, -1];
    private static readonly float[] OutIn = [1, 4, -1, -1, 2, 5, 3, 6, -1, -1];
    private static readonly FeatureRanges Ranges = [(0, 1), (2, 4)];

    [TestCase(Layout.InOut)]
    [TestCase(Layout.OutIn)]
    public void Packed_columns_are_read_in_their_order(Layout layout)
    {
        var matrix = Packed(layout);

        Assert.That((matrix.In, matrix.Out), Is.EqualTo((2, 3)));
        Assert.That(matrix.Read(), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6 }));
    }

    [Test]
    public void Ranges_may_stand_in_any_order()
    {
        var matrix = new WeightView(new FloatNumbers(OnnxTensor.Of<float>([2, 5], InOut)), Layout.InOut, [(2, 4), (0, 1)]);

        Assert.That(matrix.Read(), Is.EqualTo(new float[] { 2, 3, 1, 5, 6, 4 }));
    }

    [TestCase(Layout.InOut)]
    [TestCase(Layout.OutIn)]
    public void Written_matrix_leaves_its_neighbours_alone(Layout layout)
    {
        var (matrix, stored) = (Packed(layout), (layout is Layout.OutIn ? OutIn : InOut).ToArray());

        var isChanged = matrix.Write(OnnxTensor.Of<float>([2, 3], [10, 20, 30, 40, 50, 60]), stored);

        Assert.That(isChanged, Is.True);
        Assert.That(stored, Is.EqualTo((layout is Layout.OutIn ? OutIn : InOut).Select(value => value < 0 ? value : 10 * value)));
    }

    [TestCase(Layout.InOut)]
    [TestCase(Layout.OutIn)]
    public void Writing_the_same_numbers_changes_nothing(Layout layout)
    {
        var (matrix, stored) = (Packed(layout), (layout is Layout.OutIn ? OutIn : InOut).ToArray());

        Assert.That(matrix.Write(OnnxTensor.Of<float>([2, 3], matrix.Read()), stored), Is.False);
    }

    [TestCase(Layout.InOut)]
    [TestCase(Layout.OutIn)]
    public void A_change_is_added_to_its_own_numbers(Layout layout)
    {
        var (matrix, stored) = (Packed(layout), (layout is Layout.OutIn ? OutIn : InOut).ToArray());
        float[] change = layout is Layout.OutIn ? [10, 40, 20, 50, 30, 60] : [10, 20, 30, 40, 50, 60];

        var isChanged = matrix.Add(OnnxTensor.Of<float>([6], change), stored);

        Assert.That(isChanged, Is.True);
        Assert.That(stored, Is.EqualTo((layout is Layout.OutIn ? OutIn : InOut).Select(value => value < 0 ? value : 11 * value)));
    }

    [TestCase(Layout.InOut, 0f, false)]
    [TestCase(Layout.OutIn, 0f, false)]
    [TestCase(Layout.InOut, 1e-9f, false)]
    [TestCase(Layout.InOut, 1e-3f, true)]
    [TestCase(Layout.OutIn, 1e-3f, true)]
    public void A_change_is_told_from_none(Layout layout, float size, bool expected)
    {
        const int Wide = 19;   // no multiple of the numbers that are added at once
        var ones = Enumerable.Repeat(1f, Wide * Wide).ToArray();
        var matrix = new WeightView(new FloatNumbers(OnnxTensor.Of<float>([Wide, Wide], ones)), layout, [(0, Wide)]);
        var change = new float[Wide * Wide];
        change[^1] = size;

        Assert.That(matrix.Add(OnnxTensor.Of<float>([change.Length], change), ones), Is.EqualTo(expected));
    }

    [TestCase(Layout.InOut)]
    [TestCase(Layout.OutIn)]
    public void Single_elements_are_those_of_the_whole(Layout layout)
    {
        var matrix = Packed(layout);

        Assert.That(Enumerable.Range(0, 6).Select(i => matrix.ReadAt(i / 3, i % 3)), Is.EqualTo(matrix.Read()));
    }

    [Test]
    public void Narrow_elements_are_widened()
    {
        var stored = OnnxTensor.FromBytes(ElementType.Float16, [1, 2], MemoryMarshal.AsBytes<Half>(new[] { (Half)0.5, (Half)(-3) }).ToArray());
        var matrix = new WeightView(new FloatNumbers(stored), Layout.InOut, [(0, 2)]);

        Assert.That(matrix.Read(), Is.EqualTo(new[] { 0.5f, -3 }));
        Assert.That(matrix.ReadAt(0, 1), Is.EqualTo(-3));
    }

    [TestCase(1f, 0x3F80)]
    [TestCase(-2.5f, 0xC020)]
    [TestCase(1f + (1f / 256), 0x3F80)]         // halfway: to the even one below
    [TestCase(1f + (3f / 256), 0x3F82)]         // halfway: to the even one above
    [TestCase(1f + (1.5f / 256), 0x3F81)]
    [TestCase(float.MaxValue, 0x7F80)]
    [TestCase(float.PositiveInfinity, 0x7F80)]
    [TestCase(float.NaN, 0x7FC0)]
    public void Bfloat16_is_rounded_to_nearest_even(float value, int expected)
    {
        var bits = MemoryMarshal.Cast<byte, ushort>(WeightView.Round([value], ElementType.BFloat16).Span)[0];

        Assert.That(bits, Is.EqualTo((ushort)expected));
    }

    [TestCase(ElementType.Float, 0)]
    [TestCase(ElementType.Double, 0)]
    [TestCase(ElementType.Float16, 1.0 / 2048)]
    [TestCase(ElementType.BFloat16, 1.0 / 256)]
    public void Rounding_keeps_to_half_a_unit_of_the_type(object type, double unit)
    {
        float[] values = [0.1f, -1.2345678f, 3.14159f, 250];

        var rounded = OnnxTensor.FromBytes((ElementType)type, [4], WeightView.Round(values, (ElementType)type)).ToFloats();

        foreach (var (value, stored) in values.Zip(rounded)) Assert.That(stored, Is.EqualTo(value).Within(unit * Math.Abs(value)));
    }

    private static WeightView Packed(Layout layout) => new(new FloatNumbers(layout is Layout.OutIn ? OnnxTensor.Of<float>([5, 2], OutIn) : OnnxTensor.Of<float>([2, 5], InOut)), layout, Ranges);
}
