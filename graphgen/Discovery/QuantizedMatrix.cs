using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen.Ir;
using Tensor = LoRTA.Onnx.GraphGen.Ir.Tensor;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>A matrix of few bits: w = (code − zero point)·scale, with a scale and a zero point for each block.</summary>
/// <param name="Layout">Where everything lies.</param>
/// <param name="Codes">The codes as stored.</param>
/// <param name="Scales">The scales as stored.</param>
/// <param name="ZeroPoints">The zero points as stored; null = the format's own everywhere.</param>
internal sealed record QuantizedMatrix(StoredCodes Layout, Tensor Codes, Tensor Scales, Tensor? ZeroPoints) : IStoredNumbers
{
    private static readonly float[] Parts = [1, 0.95f, 0.9f, 0.85f, 0.8f];

    private readonly Lazy<float[]> _scales = new(Scales.ToFloats);

    // Zero points that are stored as numbers, one for each block, and not as codes.
    private readonly float[]? _zeros = ZeroPoints is { } zeros && zeros.Type != Codes.Type ? zeros.ToFloats() : null;

    public long Rows => Layout.Rows;

    public long Columns => Layout.Columns;

    public double Rounding => 0;

    private int Lowest => Layout.IsSigned ? -(1 << (Layout.Bits - 1)) : 0;

    private int Highest => Lowest + (1 << Layout.Bits) - 1;

    private long BlocksAcross => (Columns + Layout.BlockColumns - 1) / Layout.BlockColumns;

    public float[] Read()
    {
        var values = new float[Rows * Columns];
        var codes = Codes.Bytes;
        foreach (var block in Blocks())
        {
            var (scale, zero) = (_scales.Value[block.Index], ZeroAt(block));
            for (var row = block.Top; row < block.Bottom; row++)
                for (var column = block.Left; column < block.Right; column++) values[(row * Columns) + column] = (CodeAt(codes, row, column) - zero) * scale;
        }
        return values;
    }

    public float ReadAt(long row, long column)
    {
        var block = BlockOf(row, column);
        return (CodeAt(Codes.Bytes, row, column) - ZeroAt(block)) * ScaleAt(block);
    }

    public float StepAt(long row, long column) => Math.Abs(ScaleAt(BlockOf(row, column)));

    /// <summary>New codes and scales for other numbers. Blocks and zero points stay; a block whose numbers did not change keeps its codes; of its old scale and those that fit the new numbers the one with the smallest squared error is taken.</summary>
    /// <param name="values">Numbers [rows, columns].</param>
    public (Tensor Codes, Tensor Scales) Requantize(float[] values)
    {
        var (before, codes, scales) = (Read(), Codes.Bytes.ToArray(), (float[])_scales.Value.Clone());
        var isChanged = new bool[scales.Length];
        Parallel.ForEach(Blocks(), () => new float[Layout.BlockRows * Layout.BlockColumns], (block, _, inside) =>
        {
            var count = 0;
            for (var row = block.Top; row < block.Bottom; row++)
            {
                for (var column = block.Left; column < block.Right; column++)
                {
                    var at = (row * Columns) + column;
                    isChanged[block.Index] |= values[at] != before[at];
                    inside[count++] = values[at];
                }
            }
            if (isChanged[block.Index]) scales[block.Index] = BestScale(inside.AsSpan(0, count), ZeroAt(block), _scales.Value[block.Index]);
            return inside;
        }, _ => { });

        // Blocks may share bytes of codes: these are set one after the other.
        foreach (var block in Blocks().Where(block => isChanged[block.Index]))
        {
            var (zero, scale) = (ZeroAt(block), scales[block.Index]);
            for (var row = block.Top; row < block.Bottom; row++)
                for (var column = block.Left; column < block.Right; column++) SetCode(codes, row, column, Code(values[(row * Columns) + column], zero, scale));
        }
        return (Tensor.FromBytes(Codes.Type, [.. Codes.Dims], codes), Tensor.FromBytes(Scales.Type, [.. Scales.Dims], StoredMatrix.Round(scales, Scales.Type)));
    }

    // Scales that just reach the largest number of either sign, and somewhat smaller ones: clipping a few far numbers rounds the many near ones less.
    private float BestScale(ReadOnlySpan<float> values, float zero, float old)
    {
        var (least, most) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        float[] reaching = [most / Math.Max(1, Highest - zero), least / Math.Min(-1, Lowest - zero), most / Math.Min(-1, Lowest - zero), least / Math.Max(1, Highest - zero)];
        var (best, error) = (old, Error(values, zero, old));
        foreach (var scale in Stored([.. from scale in reaching from part in Parts select scale * part]))
        {
            if (scale == 0 || !float.IsFinite(scale)) continue;
            var found = Error(values, zero, scale);
            if (found < error) (best, error) = (scale, found);
        }
        return best;
    }

    // Scales as the file's type rounds them.
    private float[] Stored(float[] scales) => Scales.Type == ElementType.Float ? scales : Tensor.FromBytes(Scales.Type, [scales.Length], StoredMatrix.Round(scales, Scales.Type)).ToFloats();

    private double Error(ReadOnlySpan<float> values, float zero, float scale)
    {
        if (scale == 0) return TensorPrimitives.SumOfSquares(values);
        var (sum, inverse, lowest, highest) = (0.0, 1 / scale, Lowest - zero, Highest - zero);
        foreach (var value in values)
        {
            var difference = (Math.Clamp(Steps(value * inverse, zero), lowest, highest) * scale) - value;
            sum += difference * difference;
        }
        return sum;
    }

    private int Code(float value, float zero, float scale) => (int)Math.Clamp(scale == 0 ? MathF.Round(zero) : Steps(value / scale, zero) + zero, Lowest, Highest);

    // The nearest code, counted from a zero point that may lie between two codes.
    private static float Steps(float value, float zero)
    {
        var part = zero - MathF.Floor(zero);
        return MathF.Round(value + part) - part;
    }

    private IEnumerable<Block> Blocks()
    {
        for (long row = 0; row < Rows; row += Layout.BlockRows)
            for (long column = 0; column < Columns; column += Layout.BlockColumns) yield return BlockOf(row, column);
    }

    private Block BlockOf(long row, long column)
    {
        var (down, across) = (row / Layout.BlockRows, column / Layout.BlockColumns);
        var (top, left) = (down * Layout.BlockRows, across * Layout.BlockColumns);
        return new Block(down, across, (int)((down * BlocksAcross) + across), top, left, Math.Min(Rows, top + Layout.BlockRows), Math.Min(Columns, left + Layout.BlockColumns));
    }

    // One scale, read without the others.
    private float ScaleAt(Block block) => Scales.ElementAt(block.Index);

    private int CodeAt(ReadOnlySpan<byte> codes, long row, long column) => Get(codes, (row * Layout.RowBits) + (column * Layout.Bits));

    private float ZeroAt(Block block) => ZeroPoints switch
    {
        _ when _zeros is not null => _zeros.Length == 1 ? _zeros[0] : _zeros[block.Index],
        null => Layout.DefaultZero,
        { Count: 1 } single => Get(single.Bytes, 0),
        var stored => Get(stored.Bytes, (block.Down * Layout.ZeroRowBits) + (block.Across * Layout.Bits)),
    };

    private int Get(ReadOnlySpan<byte> bytes, long bit)
    {
        var code = (bytes[(int)(bit >> 3)] >> (int)(bit & 7)) & ((1 << Layout.Bits) - 1);
        return code > Highest ? code - (1 << Layout.Bits) : code;
    }

    private void SetCode(byte[] bytes, long row, long column, int code)
    {
        var bit = (row * Layout.RowBits) + (column * Layout.Bits);
        var (mask, shift) = ((1 << Layout.Bits) - 1, (int)(bit & 7));
        bytes[bit >> 3] = (byte)((bytes[bit >> 3] & ~(mask << shift)) | ((code & mask) << shift));
    }

    private readonly record struct Block(long Down, long Across, int Index, long Top, long Left, long Bottom, long Right);
}
