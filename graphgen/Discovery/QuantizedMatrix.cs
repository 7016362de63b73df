using System.Numerics;
using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>A matrix of few bits: w = (code − zero point)·scale, with a scale and a zero point for each block.</summary>
/// <param name="Layout">Where everything lies.</param>
/// <param name="Codes">The codes as stored.</param>
/// <param name="Scales">The scales as stored.</param>
/// <param name="ZeroPoints">The zero points as stored; null = the format's own everywhere.</param>
internal sealed record QuantizedMatrix(BlockLayout Layout, OnnxTensor Codes, OnnxTensor Scales, OnnxTensor? ZeroPoints) : IStoredNumbers
{
    private const int Exact = 512;   // squares that are summed in float32

    private static readonly float[] Parts = [1, 0.95f, 0.9f, 0.85f, 0.8f];

    private readonly float[] _scales = Scales.ToFloats();
    private float[]? _blockZeros;

    // Zero points that are stored as numbers, one for each block, and not as codes.
    private readonly float[]? _zeros = ZeroPoints is { } zeros && zeros.Type != Codes.Type ? zeros.ToFloats() : null;

    public long Rows => Layout.Rows;

    public long Columns => Layout.Columns;

    public double Rounding => 0;

    /// <summary>The lowest code.</summary>
    public int Lowest => Layout.IsSigned ? -(1 << (Layout.Bits - 1)) : 0;

    /// <summary>The highest code.</summary>
    public int Highest => Lowest + (1 << Layout.Bits) - 1;

    private long BlocksDown => (Rows + Layout.BlockRows - 1) / Layout.BlockRows;

    private long BlocksAcross => (Columns + Layout.BlockColumns - 1) / Layout.BlockColumns;

    public float[] Read() => Read(new RoundedNumbers(PackedCodes.Unpack(Codes.Bytes, Layout), _scales));

    /// <summary>The numbers that codes and scales stand for.</summary>
    public float[] Read(RoundedNumbers rounded)
    {
        var values = GC.AllocateUninitializedArray<float>(checked((int)(Rows * Columns)));
        Parallel.For(0, (int)Rows, row => ReadRow(rounded, row, values.AsSpan(row * (int)Columns, (int)Columns)));
        return values;
    }

    /// <summary>The numbers of one row that codes and scales stand for.</summary>
    public void ReadRow(RoundedNumbers rounded, int row, Span<float> values)
    {
        var codes = rounded.Codes.AsSpan(row * values.Length, values.Length);
        var (negative, range, width) = (Highest, 1 << Layout.Bits, (int)Layout.BlockColumns);
        var block = (int)(row / Layout.BlockRows * BlocksAcross);
        for (var left = 0; left < values.Length; left += width, block++)
        {
            var (zero, scale) = (ZeroAt(block), rounded.Scales[block]);
            for (var at = left; at < Math.Min(values.Length, left + width); at++)
                values[at] = ((codes[at] > negative ? codes[at] - range : codes[at]) - zero) * scale;
        }
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

    /// <summary>The zero point of the numbers that share a scale.</summary>
    /// <param name="scale">The scale's place among all scales.</param>
    public float ZeroAt(int scale)
    {
        var zeros = _blockZeros ??= ZeroPoints is null or { Count: 1 } ? [ZeroAt(BlockOf(0, 0))] : AllZeros();
        return zeros.Length == 1 ? zeros[0] : zeros[scale];
    }

    /// <summary>A code of the stored bits.</summary>
    public int Signed(byte code) => code > Highest ? code - (1 << Layout.Bits) : code;

    /// <summary>New codes and scales for other numbers. Blocks and zero points stay; a block whose numbers did not change keeps its codes; of its old scale and those that fit the new numbers the one with the smallest squared error is taken.</summary>
    /// <param name="values">Numbers [rows, columns].</param>
    public RoundedNumbers Requantize(float[] values)
    {
        var rounded = new RoundedNumbers(PackedCodes.Unpack(Codes.Bytes, Layout), (float[])_scales.Clone());
        Parallel.For(0, BlocksDown * BlocksAcross, () => new float[Layout.BlockRows * Layout.BlockColumns], (index, _, inside) =>
        {
            Requantize(BlockOf(index / BlocksAcross, index % BlocksAcross), values, rounded, inside);
            return inside;
        }, _ => { });
        return rounded;
    }

    /// <summary>Codes and scales as the file stores them.</summary>
    public (Memory<byte> Codes, Memory<byte> Scales) Stored(RoundedNumbers rounded) =>
        (PackedCodes.Pack(rounded.Codes, Codes.Bytes, Layout), WeightView.Round(rounded.Scales, Scales.Type));

    /// <summary>A scale as the file's type rounds it.</summary>
    public float StoredScale(float scale) => Scales.Type switch
    {
        ElementType.Float => scale,
        ElementType.Float16 => (float)(Half)scale,
        _ => OnnxTensor.FromBytes(Scales.Type, [1], WeightView.Round([scale], Scales.Type)).ToFloats()[0],
    };

    private void Requantize(Block block, float[] values, RoundedNumbers rounded, float[] inside)
    {
        var (zero, old) = (ZeroAt(block.Index), _scales[block.Index]);
        var width = (int)(block.Right - block.Left);
        var count = 0;
        var isChanged = false;
        for (var row = block.Top; row < block.Bottom; row++, count += width)
        {
            var at = (int)((row * Columns) + block.Left);
            values.AsSpan(at, width).CopyTo(inside.AsSpan(count));
            for (var i = at; !isChanged && i < at + width; i++) isChanged = values[i] != (Signed(rounded.Codes[i]) - zero) * old;
        }
        if (!isChanged) return;
        var scale = rounded.Scales[block.Index] = BestScale(inside.AsSpan(0, count), zero, old);
        for (var row = block.Top; row < block.Bottom; row++)
        {
            var at = (int)((row * Columns) + block.Left);
            Encode(values.AsSpan(at, width), zero, scale, rounded.Codes.AsSpan(at, width));
        }
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
        var (part, inverse) = (zero - MathF.Floor(zero), 1 / scale);
        var (lowest, highest, parts) = (new Vector<float>(Lowest - zero), new Vector<float>(Highest - zero), new Vector<float>(part));
        var sum = 0.0;
        var at = 0;
        while (at + Vector<float>.Count <= values.Length)
        {
            var squares = Vector<float>.Zero;
            for (var end = Math.Min(values.Length, at + Exact) - Vector<float>.Count; at <= end; at += Vector<float>.Count)
            {
                var value = new Vector<float>(values[at..]);
                var steps = Vector.Round(Vector.FusedMultiplyAdd(value, new Vector<float>(inverse), parts)) - parts;
                var difference = Vector.FusedMultiplyAdd(Vector.Min(Vector.Max(steps, lowest), highest), new Vector<float>(scale), -value);
                squares = Vector.FusedMultiplyAdd(difference, difference, squares);
            }
            sum += Vector.Sum(squares);
        }
        for (; at < values.Length; at++)
        {
            var steps = MathF.Round((values[at] * inverse) + part) - part;
            var difference = (Math.Clamp(steps, Lowest - zero, Highest - zero) * scale) - values[at];
            sum += difference * difference;
        }
        return sum;
    }

    // The nearest codes, counted from a zero point that may lie between two of them.
    private void Encode(ReadOnlySpan<float> values, float zero, float scale, Span<byte> codes)
    {
        var (below, mask, at) = (MathF.Floor(zero), (1 << Layout.Bits) - 1, 0);
        if (scale == 0)
        {
            codes.Fill((byte)((int)Math.Clamp(MathF.Round(zero), Lowest, Highest) & mask));
            return;
        }
        var (lowest, highest) = (new Vector<float>(Lowest), new Vector<float>(Highest));
        Span<int> found = stackalloc int[Vector<int>.Count];
        for (; at + Vector<float>.Count <= values.Length; at += Vector<float>.Count)
        {
            var steps = Vector.Round((new Vector<float>(values[at..]) / scale) + new Vector<float>(zero - below));
            Vector.ConvertToInt32(Vector.Min(Vector.Max(steps + new Vector<float>(below), lowest), highest)).CopyTo(found);
            for (var i = 0; i < found.Length; i++) codes[at + i] = (byte)(found[i] & mask);
        }
        for (; at < values.Length; at++)
        {
            var nearest = MathF.Round((values[at] / scale) + (zero - below)) + below;
            codes[at] = (byte)((int)Math.Clamp(nearest, Lowest, Highest) & mask);
        }
    }

    private Block BlockAt(long row, long column) => BlockOf(row / Layout.BlockRows, column / Layout.BlockColumns);

    private Block BlockOf(long down, long across)
    {
        var (top, left) = (down * Layout.BlockRows, across * Layout.BlockColumns);
        return new Block(down, across, (int)((down * BlocksAcross) + across), top, left, Math.Min(Rows, top + Layout.BlockRows), Math.Min(Columns, left + Layout.BlockColumns));
    }

    private float[] AllZeros()
    {
        var zeros = new float[BlocksDown * BlocksAcross];
        for (long down = 0; down < BlocksDown; down++)
            for (long across = 0; across < BlocksAcross; across++)
                zeros[(down * BlocksAcross) + across] = ZeroAt(BlockOf(down, across));
        return zeros;
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
