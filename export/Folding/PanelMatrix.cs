using System.Numerics;

namespace LoRTA.Onnx.Export.Folding;

/// <summary>A square matrix whose columns lie eight by eight, row after row: numbers that are added up together lie together.</summary>
/// <param name="size">Rows and columns.</param>
internal sealed class PanelMatrix(int size)
{
    /// <summary>Columns of a panel; what the last one has beyond the matrix is 0.</summary>
    public const int Width = 8;

    private readonly float[] _numbers = new float[(size + Width - 1) / Width * size * Width];

    /// <summary>A matrix of row-major numbers.</summary>
    public static PanelMatrix Of(ReadOnlySpan<double> numbers, int size)
    {
        var matrix = new PanelMatrix(size);
        for (var row = 0; row < size; row++)
            for (var column = 0; column < size; column++)
                matrix._numbers[matrix.Place(row, column)] = (float)numbers[(row * size) + column];
        return matrix;
    }

    /// <summary>Some columns of one row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="begin">The first column of a panel, which are given all.</param>
    public ReadOnlySpan<float> Row(int row, int begin) => _numbers.AsSpan(Place(row, begin), Width);

    /// <summary>to[j] += Σ factor[i]·M[rows[i], begin + j] for the columns of a panel, whose sums stay in registers.</summary>
    /// <param name="begin">The panel's first column.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="factors">A factor for each row, in many lanes.</param>
    /// <param name="to">The sums.</param>
    public void AddRows(int begin, ReadOnlySpan<int> rows, ReadOnlySpan<Vector<float>> factors, Span<Vector<float>> to)
    {
        var panel = _numbers.AsSpan(begin * size, size * Width);
        factors = factors[..rows.Length];
        to = to[..Width];
        var a = to[0];
        var b = to[1];
        var c = to[2];
        var d = to[3];
        var e = to[4];
        var f = to[5];
        var g = to[6];
        var h = to[7];
        for (var i = 0; i < rows.Length; i++)
        {
            var factor = factors[i];
            var row = panel.Slice(rows[i] * Width, Width);
            a = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[0]), a);
            b = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[1]), b);
            c = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[2]), c);
            d = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[3]), d);
            e = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[4]), e);
            f = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[5]), f);
            g = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[6]), g);
            h = Vector.FusedMultiplyAdd(factor, new Vector<float>(row[7]), h);
        }
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
        to[4] = e;
        to[5] = f;
        to[6] = g;
        to[7] = h;
    }

    private int Place(int row, int column) => (((column / Width * size) + row) * Width) + (column % Width);
}
