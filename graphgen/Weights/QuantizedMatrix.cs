using System.Numerics;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>A low-bit matrix: w = (code − zero point)·scale, with a scale and a zero point for each block.</summary>
/// <param name="Layout">Where everything lies.</param>
/// <param name="Codes">The codes as stored.</param>
/// <param name="Scales">The scales as stored.</param>
/// <param name="ZeroPoints">The zero points as stored; null = the format's own everywhere.</param>
internal sealed record QuantizedMatrix(BlockLayout Layout, OnnxTensor Codes, OnnxTensor Scales, OnnxTensor? ZeroPoints) : IStoredNumbers
{
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

    /// <summary>How many blocks there are, row after row.</summary>
    public long Blocks => BlocksDown * BlocksAcross;

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
        var sign = Layout.IsSigned ? 1 << (Layout.Bits - 1) : 0;
        var at = 0;
        var count = Vector<float>.Count;
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
        var zeros = _blockZeros ??= ZeroPoints is null or { Count: 1 } ? [ZeroAt(BlockOf(0))] : AllZeros();
        return zeros.Length == 1 ? zeros[0] : zeros[scale];
    }

    /// <summary>A code of the stored bits.</summary>
    public int Signed(byte code) => code > Highest ? code - (1 << Layout.Bits) : code;

    /// <summary>Codes and scales as the file stores them.</summary>
    public (Memory<byte> Codes, Memory<byte> Scales) Stored(RoundedNumbers rounded)
    {
        var codes = PackedCodes.Pack(rounded.Codes, Codes.Bytes, Layout);
        Codes.LetGo();
        return (codes, WeightView.Round(rounded.Scales, Scales.Type));
    }

    /// <summary>A scale as the file's type rounds it.</summary>
    public float StoredScale(float scale) => Scales.Type switch
    {
        ElementType.Float => scale,
        ElementType.Float16 => (float)(Half)scale,
        _ => OnnxTensor.FromBytes(Scales.Type, [1], WeightView.Round([scale], Scales.Type)).ToFloats()[0],
    };

    /// <summary>A block by its place among all.</summary>
    public Block BlockOf(long index) => BlockOf(index / BlocksAcross, index % BlocksAcross);

    private Block BlockAt(long row, long column) => BlockOf(row / Layout.BlockRows, column / Layout.BlockColumns);

    private Block BlockOf(long down, long across)
    {
        var (top, left) = (down * Layout.BlockRows, across * Layout.BlockColumns);
        var (bottom, right) = (Math.Min(Rows, top + Layout.BlockRows), Math.Min(Columns, left + Layout.BlockColumns));
        return new Block(down, across, (int)((down * BlocksAcross) + across), top, left, bottom, right);
    }

    private float[] AllZeros()
    {
        var zeros = new float[Blocks];
        for (var index = 0; index < zeros.Length; index++) zeros[index] = ZeroAt(BlockOf(index));
        return zeros;
    }

    private float ZeroAt(Block block) => ZeroPoints switch
    {
        _ when _zeros is not null => _zeros.Length == 1 ? _zeros[0] : _zeros[block.Index],
        null => Layout.DefaultZero,
        { Count: 1 } single => Signed(PackedCodes.Get(single.Bytes, 0, Layout.Bits)),
        var stored => Signed(PackedCodes.Get(stored.Bytes, (block.Down * Layout.ZeroRowBits) + (block.Across * Layout.Bits), Layout.Bits)),
    };

    /// <summary>Numbers that share a scale and a zero point.</summary>
    /// <param name="Down">Its row among the blocks.</param>
    /// <param name="Across">Its column among the blocks.</param>
    /// <param name="Index">Its place among all.</param>
    /// <param name="Top">First row.</param>
    /// <param name="Left">First column.</param>
    /// <param name="Bottom">The row behind the last.</param>
    /// <param name="Right">The column behind the last.</param>
    public readonly record struct Block(long Down, long Across, int Index, long Top, long Left, long Bottom, long Right);
}

/// <summary>A matrix as codes and scales.</summary>
/// <param name="Codes">The bits of each code in a byte of its own, [rows, columns].</param>
/// <param name="Scales">A scale for each block.</param>
internal sealed record RoundedNumbers(byte[] Codes, float[] Scales);
