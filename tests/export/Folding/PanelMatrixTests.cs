using System.Numerics;
using LoRTA.Onnx.Export.Folding;

namespace LoRTA.Onnx.Export.Tests.Folding;

internal sealed class PanelMatrixTests
{
    [TestCase(8)]
    [TestCase(11)]
    [TestCase(128)]
    public void Rows_are_added_up_as_they_are_in_the_matrix(int size)
    {
        var numbers = Enumerable.Range(0, size * size).Select(i => (double)((i * 7) % 23) - 11).ToArray();
        var matrix = PanelMatrix.Of(numbers, size);
        int[] rows = [size - 1, 0, 3];
        float[] factors = [2, -1, 5];

        var found = new float[size];
        for (var begin = 0; begin < size; begin += PanelMatrix.Width)
        {
            var sums = Enumerable.Repeat(new Vector<float>(1), PanelMatrix.Width).ToArray();
            matrix.AddRows(begin, rows, [.. factors.Select(factor => new Vector<float>(factor))], sums);
            for (var j = begin; j < Math.Min(size, begin + PanelMatrix.Width); j++) found[j] = sums[j - begin][0];
        }

        Assert.That(found, Is.EqualTo(Enumerable.Range(0, size)
            .Select(j => 1 + rows.Zip(factors, (row, factor) => factor * (float)numbers[(row * size) + j]).Sum())));
    }

    [Test]
    public void What_a_panel_has_beyond_the_matrix_is_nothing()
    {
        var matrix = PanelMatrix.Of([1, 2, 3, 4], 2);

        Assert.That(matrix.Row(1, 0).ToArray(), Is.EqualTo(new float[] { 3, 4, 0, 0, 0, 0, 0, 0 }));
    }
}
