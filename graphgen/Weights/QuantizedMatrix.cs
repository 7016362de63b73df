using System.Numerics;
using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>A matrix of few bits: w = (code − zero point)·scale, with a scale and a zero point for each block.</summary>
/// <param name="Layout">Where everything lies.</param>
/// <param name="Codes">The codes as stored.</param>
/// <param name="Scales">The scales as stored.</param>
/// <param name="ZeroPoints">The zero points as stored; null = the format's own everywhere.</param>
internal sealed record QuantizedMatrix(BlockLayout Layout, OnnxTensor Codes, OnnxTensor Scales, OnnxTensor? ZeroPoints) : IStoredNumbers
{
    private const int Exact = 512;     // squares that are summed in float32
    private const int Together = 64;   // blocks that one thread takes at once

    private static readonly float[] Parts = [1, 0.95f, 0.9f, 0.85f, 0.8f];

    // The old scale and four that reach a largest number, in whole vectors.
    private static readonly int Candidates =
        (1 + (4 * Parts.Length) + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

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

    public float[] Read() => Read(Unpacked());

    /// <summary>Codes and scales as they are stored.</summary>
    public RoundedNumbers Unpacked()
    {
        var rounded = new RoundedNumbers(PackedCodes.Unpack(Codes.Bytes, Layout), (float[])_scales.Clone());
        Codes.LetGo();
        return rounded;
    }

    /// <summary>The numbers that codes and scales stand for.</summary>
    public float[] Read(RoundedNumbers rounded)
    {
        var values = GC.AllocateUninitializedArray<float>(checked((int)(Rows * Columns)));
        Read(rounded, values);
        return values;
    }

    /// <summary>The same, into the first numbers of an array.</summary>
    public void Read(RoundedNumbers rounded, float[] values) =>
        Parallel.For(0, (int)Rows, row => ReadRow(rounded, row, values.AsSpan(row * (int)Columns, (int)Columns)));

    /// <summary>The numbers of one row that codes and scales stand for.</summary>
    public void ReadRow(RoundedNumbers rounded, int row, Span<float> values)
    {
        var codes = rounded.Codes.AsSpan(row * values.Length, values.Length);
        var width = (int)Layout.BlockColumns;
        var block = (int)(row / Layout.BlockRows * BlocksAcross);
        for (var left = 0; left < values.Length; left += width, block++)
        {
            var part = Math.Min(width, values.Length - left);
            Decode(codes.Slice(left, part), ZeroAt(block), rounded.Scales[block], values.Slice(left, part));
        }
    }

    // Where codes are signed, turning the sign's bit and taking it away again extends the sign.
    private void Decode(ReadOnlySpan<byte> codes, float zero, float scale, Span<float> values)
    {
        var (sign, at, count) = (Layout.IsSigned ? 1 << (Layout.Bits - 1) : 0, 0, Vector<float>.Count);
        for (; at + Vector<byte>.Count <= codes.Length; at += Vector<byte>.Count)
        {
            var target = values.Slice(at, Vector<byte>.Count);
            Vector.Widen(new Vector<byte>(codes[at..]), out var low, out var high);
            Vector.Widen(low, out var a, out var b);
            Vector.Widen(high, out var c, out var d);
            Numbers(a).CopyTo(target);
            Numbers(b).CopyTo(target[count..]);
            Numbers(c).CopyTo(target[(2 * count)..]);
            Numbers(d).CopyTo(target[(3 * count)..]);
        }
        for (; at < codes.Length; at++) values[at] = ((codes[at] ^ sign) - sign - zero) * scale;

        Vector<float> Numbers(Vector<uint> bits)
        {
            var code = (Vector.AsVectorInt32(bits) ^ new Vector<int>(sign)) - new Vector<int>(sign);
            return (Vector.ConvertToSingle(code) - new Vector<float>(zero)) * scale;
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

    /// <summary>New codes and scales for other numbers.</summary>
    public RoundedNumbers Requantize(float[] values)
    {
        var rounded = Unpacked();
        Requantize(values, rounded);
        return rounded;
    }

    /// <summary>New codes and scales for other numbers. Blocks and zero points stay; a block whose numbers did not change keeps its codes;
    /// of its old scale and those that fit the new numbers the one with the smallest squared error is taken.</summary>
    /// <param name="values">Numbers [rows, columns].</param>
    /// <param name="rounded">Codes and scales as they are stored, which are changed.</param>
    public void Requantize(float[] values, RoundedNumbers rounded)
    {
        var blocks = BlocksDown * BlocksAcross;
        Parallel.For(0, (blocks + Together - 1) / Together, () => new float[Layout.BlockRows * Layout.BlockColumns], (group, _, inside) =>
        {
            for (var index = group * Together; index < Math.Min(blocks, (group + 1) * Together); index++)
                Requantize(BlockOf(index / BlocksAcross, index % BlocksAcross), values, rounded, inside);
            return inside;
        }, _ => { });
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

    // Scales that just reach the largest number of either sign, and somewhat smaller ones: clipping a few far numbers rounds the many near
    // ones less. Codes −8 … 7 and the block 0.1, 0.2, −0.3, 1.5: the scale 1.5 / 7 = 0.214 reaches 1.5 and rounds 0.1 to 0,
    // 0.8 of it clips 1.5 to 1.2 and rounds 0.1 to 0.17; which of the two has the smaller sum of squares is measured, not assumed.
    private float BestScale(ReadOnlySpan<float> values, float zero, float old)
    {
        var (least, most) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        var (up, down) = (Math.Max(1, Highest - zero), Math.Min(-1, Lowest - zero));
        ReadOnlySpan<float> reaching = [most / up, least / down, most / down, least / up];
        Span<float> scales = stackalloc float[Candidates];
        Span<double> errors = stackalloc double[Candidates];
        scales.Fill(old);
        var count = 1;
        foreach (var reach in reaching)
        {
            foreach (var part in Parts)
            {
                var scale = StoredScale(reach * part);
                if (scale != 0 && float.IsFinite(scale)) scales[count++] = scale;
            }
        }
        SquaredErrors(values, zero, scales, errors);
        var best = 0;
        for (var i = 1; i < count; i++)
            if (errors[i] < errors[best]) best = i;
        return scales[best];
    }

    // (w′ − w)² summed over the values, for a scale in each lane.
    private void SquaredErrors(ReadOnlySpan<float> values, float zero, ReadOnlySpan<float> scales, Span<double> errors)
    {
        var part = new Vector<float>(zero - MathF.Floor(zero));
        var (lowest, highest) = (new Vector<float>(Lowest - zero), new Vector<float>(Highest - zero));
        errors.Clear();
        for (var first = 0; first < scales.Length; first += Vector<float>.Count)
        {
            var scale = new Vector<float>(scales[first..]);
            var inverse = Vector.ConditionalSelect(Vector.Equals(scale, Vector<float>.Zero), Vector<float>.Zero, Vector<float>.One / scale);
            for (var begin = 0; begin < values.Length; begin += Exact)
            {
                var squares = Vector<float>.Zero;
                foreach (var number in values.Slice(begin, Math.Min(Exact, values.Length - begin)))
                {
                    var value = new Vector<float>(number);
                    var steps = Vector.Round(Vector.FusedMultiplyAdd(value, inverse, part)) - part;
                    var difference = Vector.FusedMultiplyAdd(Vector.Min(Vector.Max(steps, lowest), highest), scale, -value);
                    squares = Vector.FusedMultiplyAdd(difference, difference, squares);
                }
                for (var lane = 0; lane < Vector<float>.Count; lane++) errors[first + lane] += squares[lane];
            }
        }
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
        var count = Vector<float>.Count;
        for (; at + Vector<byte>.Count <= values.Length; at += Vector<byte>.Count)
        {
            var part = values.Slice(at, Vector<byte>.Count);
            var first = Vector.Narrow(Codes(part), Codes(part[count..]));
            var second = Vector.Narrow(Codes(part[(2 * count)..]), Codes(part[(3 * count)..]));
            (Vector.AsVectorByte(Vector.Narrow(first, second)) & new Vector<byte>((byte)mask)).CopyTo(codes[at..]);
        }
        for (; at < values.Length; at++)
        {
            var nearest = MathF.Round((values[at] / scale) + (zero - below)) + below;
            codes[at] = (byte)((int)Math.Clamp(nearest, Lowest, Highest) & mask);
        }

        Vector<int> Codes(ReadOnlySpan<float> numbers)
        {
            var steps = Vector.Round((new Vector<float>(numbers) / scale) + new Vector<float>(zero - below));
            var nearest = steps + new Vector<float>(below);
            return Vector.ConvertToInt32(Vector.Min(Vector.Max(nearest, new Vector<float>(Lowest)), new Vector<float>(Highest)));
        }
    }

    private Block BlockAt(long row, long column) => BlockOf(row / Layout.BlockRows, column / Layout.BlockColumns);

    private Block BlockOf(long down, long across)
    {
        var (top, left) = (down * Layout.BlockRows, across * Layout.BlockColumns);
        return new Block(
            down,
            across,
            (int)((down * BlocksAcross) + across),
            top,
            left,
            Math.Min(Rows, top + Layout.BlockRows),
            Math.Min(Columns, left + Layout.BlockColumns));
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
