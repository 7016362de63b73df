using System.Numerics;
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

    private readonly float[] _scales = Scales.ToFloats();

    // Zero points that are stored as numbers, one for each block, and not as codes.
    private readonly float[]? _zeros = ZeroPoints is { } zeros && zeros.Type != Codes.Type ? zeros.ToFloats() : null;

    public long Rows => Layout.Rows;

    public long Columns => Layout.Columns;

    public double Rounding => 0;

    /// <summary>The lowest code.</summary>
    public int Lowest => Layout.IsSigned ? -(1 << (Layout.Bits - 1)) : 0;

    /// <summary>The highest code.</summary>
    public int Highest => Lowest + (1 << Layout.Bits) - 1;

    private long BlocksAcross => (Columns + Layout.BlockColumns - 1) / Layout.BlockColumns;

    public float[] Read() => Read(new RoundedNumbers(PackedCodes.Unpack(Codes.Bytes, Layout), _scales));

    /// <summary>The numbers that codes and scales stand for.</summary>
    public float[] Read(RoundedNumbers rounded)
    {
        var values = new float[Rows * Columns];
        Parallel.For(0, Rows, row =>
        {
            var down = row / Layout.BlockRows;
            for (long across = 0; across < BlocksAcross; across++)
            {
                var block = BlockOf(down, across);
                var (zero, scale) = (ZeroAt(block), rounded.Scales[block.Index]);
                for (var at = (row * Columns) + block.Left; at < (row * Columns) + block.Right; at++)
                    values[at] = (Signed(rounded.Codes[at]) - zero) * scale;
            }
        });
        return values;
    }

    public float ReadAt(long row, long column)
    {
        var block = BlockAt(row, column);
        var code = PackedCodes.Get(Codes.Bytes, (row * Layout.RowBits) + (column * Layout.Bits), Layout.Bits);
        return (Signed(code) - ZeroAt(block)) * _scales[block.Index];
    }

    public float StepAt(long row, long column) => Math.Abs(_scales[BlockAt(row, column).Index]);

    /// <summary>Where the scale of a number lies among all scales.</summary>
    public int ScaleIndex(long row, long column) => BlockAt(row, column).Index;

    /// <summary>The zero point of a number.</summary>
    public float ZeroAt(long row, long column) => ZeroAt(BlockAt(row, column));

    /// <summary>A code of the stored bits.</summary>
    public int Signed(byte code) => code > Highest ? code - (1 << Layout.Bits) : code;

    /// <summary>New codes and scales for other numbers. Blocks and zero points stay; a block whose numbers did not change keeps its codes; of its old scale and those that fit the new numbers the one with the smallest squared error is taken.</summary>
    /// <param name="values">Numbers [rows, columns].</param>
    public RoundedNumbers Requantize(float[] values)
    {
        var rounded = new RoundedNumbers(PackedCodes.Unpack(Codes.Bytes, Layout), (float[])_scales.Clone());
        var down = (Rows + Layout.BlockRows - 1) / Layout.BlockRows;
        Parallel.For(0, down * BlocksAcross, () => new float[Layout.BlockRows * Layout.BlockColumns], (index, _, inside) =>
        {
            Requantize(BlockOf(index / BlocksAcross, index % BlocksAcross), values, rounded, inside);
            return inside;
        }, _ => { });
        return rounded;
    }

    /// <summary>Codes and scales as the file stores them.</summary>
    public (Memory<byte> Codes, Memory<byte> Scales) Stored(RoundedNumbers rounded) =>
        (PackedCodes.Pack(rounded.Codes, Codes.Bytes, Layout), StoredMatrix.Round(rounded.Scales, Scales.Type));

    /// <summary>A scale as the file's type rounds it.</summary>
    public float StoredScale(float scale) => Scales.Type switch
    {
        ElementType.Float => scale,
        ElementType.Float16 => (float)(Half)scale,
        _ => Tensor.FromBytes(Scales.Type, [1], StoredMatrix.Round([scale], Scales.Type)).ToFloats()[0],
    };

    private void Requantize(Block block, float[] values, RoundedNumbers rounded, float[] inside)
    {
        var (zero, old) = (ZeroAt(block), _scales[block.Index]);
        var count = 0;
        var isChanged = false;
        for (var row = block.Top; row < block.Bottom; row++)
        {
            for (var at = (row * Columns) + block.Left; at < (row * Columns) + block.Right; at++)
            {
                isChanged |= values[at] != (Signed(rounded.Codes[at]) - zero) * old;
                inside[count++] = values[at];
            }
        }
        if (!isChanged) return;
        var scale = rounded.Scales[block.Index] = BestScale(inside.AsSpan(0, count), zero, old);
        for (var row = block.Top; row < block.Bottom; row++)
            for (var at = (row * Columns) + block.Left; at < (row * Columns) + block.Right; at++)
                rounded.Codes[at] = (byte)(Code(values[at], zero, scale) & ((1 << Layout.Bits) - 1));
    }

    // Scales that just reach the largest number of either sign, and somewhat smaller ones: clipping a few far numbers rounds the many near ones less.
    private float BestScale(ReadOnlySpan<float> values, float zero, float old)
    {
        var (least, most) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        var (up, down) = (Math.Max(1, Highest - zero), Math.Min(-1, Lowest - zero));
        ReadOnlySpan<float> reaching = [most / up, least / down, most / down, least / up];
        var (best, error) = (old, Error(values, zero, old));
        foreach (var reach in reaching)
        {
            foreach (var part in Parts)
            {
                var scale = StoredScale(reach * part);
                if (scale == 0 || !float.IsFinite(scale)) continue;
                var found = Error(values, zero, scale);
                if (found < error) (best, error) = (scale, found);
            }
        }
        return best;
    }

    private double Error(ReadOnlySpan<float> values, float zero, float scale)
    {
        if (scale == 0) return TensorPrimitives.SumOfSquares(values);
        var (lowest, highest, part) = (Lowest - zero, Highest - zero, zero - MathF.Floor(zero));
        var sum = 0.0;
        var at = 0;
        for (; at + Vector<float>.Count <= values.Length; at += Vector<float>.Count)
        {
            var value = new Vector<float>(values[at..]);
            var steps = Vector.Round((value * (1 / scale)) + new Vector<float>(part)) - new Vector<float>(part);
            var difference = (Vector.Min(Vector.Max(steps, new Vector<float>(lowest)), new Vector<float>(highest)) * scale) - value;
            sum += Vector.Sum(difference * difference);
        }
        for (; at < values.Length; at++)
        {
            var difference = (Math.Clamp(Steps(values[at] / scale, zero), lowest, highest) * scale) - values[at];
            sum += difference * difference;
        }
        return sum;
    }

    private int Code(float value, float zero, float scale) =>
        (int)Math.Clamp(scale == 0 ? MathF.Round(zero) : Steps(value / scale, zero) + zero, Lowest, Highest);

    // The nearest code, counted from a zero point that may lie between two codes.
    private static float Steps(float value, float zero)
    {
        var part = zero - MathF.Floor(zero);
        return MathF.Round(value + part) - part;
    }

    private Block BlockAt(long row, long column) => BlockOf(row / Layout.BlockRows, column / Layout.BlockColumns);

    private Block BlockOf(long down, long across)
    {
        var (top, left) = (down * Layout.BlockRows, across * Layout.BlockColumns);
        return new Block(down, across, (int)((down * BlocksAcross) + across), top, left, Math.Min(Rows, top + Layout.BlockRows), Math.Min(Columns, left + Layout.BlockColumns));
    }

    private float ZeroAt(Block block) => ZeroPoints switch
    {
        _ when _zeros is not null => _zeros.Length == 1 ? _zeros[0] : _zeros[block.Index],
        null => Layout.DefaultZero,
        { Count: 1 } single => Signed(PackedCodes.Get(single.Bytes, 0, Layout.Bits)),
        var stored => Signed(PackedCodes.Get(stored.Bytes, (block.Down * Layout.ZeroRowBits) + (block.Across * Layout.Bits), Layout.Bits)),
    };

    private readonly record struct Block(long Down, long Across, int Index, long Top, long Left, long Bottom, long Right);
}

/// <summary>A matrix as codes and scales.</summary>
/// <param name="Codes">The bits of each code in a byte of its own, [rows, columns].</param>
/// <param name="Scales">A scale for each block.</param>
internal sealed record RoundedNumbers(byte[] Codes, float[] Scales);
