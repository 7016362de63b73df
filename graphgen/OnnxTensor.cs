using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen;

/// <summary>An immutable tensor: a type, dimensions and raw little-endian bytes, which lie in memory, in a mapped file, or are computed
/// when first asked for.</summary>
/// <remarks>A tensor over a file costs no heap until its numbers are asked for, so a model of any size can be opened, rewritten and
/// streamed.</remarks>
public sealed class OnnxTensor
{
    private readonly Lazy<Memory<byte>>? _computed;
    private readonly Func<Memory<byte>>? _streamed;
    private readonly Memory<byte> _memory;
    private readonly long[] _dims;

    private OnnxTensor(ElementType type, ReadOnlySpan<long> dims)
    {
        (Type, _dims) = (type, dims.ToArray());
        Count = _dims.Size();
    }

    private OnnxTensor(ElementType type, ReadOnlySpan<long> dims, Memory<byte> memory)
        : this(type, dims)
    {
        if (memory.Length != ByteCount) throw new ArgumentException($"{memory.Length} bytes for {this}", nameof(memory));
        _memory = memory;
    }

    private OnnxTensor(ElementType type, ReadOnlySpan<long> dims, Lazy<Memory<byte>> computed)
        : this(type, dims) => _computed = computed;

    private OnnxTensor(ElementType type, ReadOnlySpan<long> dims, Func<Memory<byte>> streamed)
        : this(type, dims) => _streamed = streamed;

    private OnnxTensor(ElementType type, ReadOnlySpan<long> dims, MappedFile file, long offset)
        : this(type, dims) => (File, FileOffset) = (file, offset);

    /// <summary>Element type.</summary>
    public ElementType Type { get; }

    /// <summary>Dimensions, outermost first; empty for a scalar.</summary>
    public IReadOnlyList<long> Dims => _dims;

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Number of bytes in raw form.</summary>
    public long ByteCount => Type.Bytes(Count);

    /// <summary>The file that holds the bytes, if one does.</summary>
    internal MappedFile? File { get; }

    /// <summary>Where in <see cref="File"/> the bytes start.</summary>
    internal long FileOffset { get; }

    internal int Rank => _dims.Length;

    internal static OnnxTensor FromBytes(ElementType type, ReadOnlySpan<long> dims, Memory<byte> bytes) => new(type, dims, bytes);

    internal static OnnxTensor FromFile(ElementType type, ReadOnlySpan<long> dims, MappedFile file, long offset) =>
        new(type, dims, file, offset);

    /// <summary>A tensor whose bytes are made on first use (a widened weight, a transposed one) and kept.</summary>
    internal static OnnxTensor Computed(ElementType type, ReadOnlySpan<long> dims, Func<Memory<byte>> compute) =>
        new(type, dims, new Lazy<Memory<byte>>(compute));

    /// <summary>A tensor whose bytes are made whenever it is written and not kept (a folded weight of a large model).</summary>
    public static OnnxTensor Streamed(ElementType type, ReadOnlySpan<long> dims, Func<Memory<byte>> compute) => new(type, dims, compute);

    /// <summary>A tensor of the given numbers.</summary>
    /// <param name="dims">Dimensions; their product is the length of <paramref name="values"/>.</param>
    /// <param name="values">Elements in row-major order; float, double, long, int or bool.</param>
    public static OnnxTensor Of<T>(ReadOnlySpan<long> dims, ReadOnlySpan<T> values)
        where T : unmanaged => new(TypeOf<T>(), dims, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of one dimension.</summary>
    /// <param name="values">Its numbers.</param>
    public static OnnxTensor Vector<T>(params ReadOnlySpan<T> values)
        where T : unmanaged => Of([values.Length], values);

    internal static OnnxTensor Scalar<T>(T value)
        where T : unmanaged => Of<T>([], [value]);

    /// <summary>The same numbers under other dimensions of the same product.</summary>
    internal OnnxTensor WithDims(ReadOnlySpan<long> dims) => As(Type, dims);

    /// <summary>The same bytes read as another type, wherever they lie.</summary>
    internal OnnxTensor As(ElementType type, ReadOnlySpan<long> dims) => (File, _computed, _streamed) switch
    {
        ({ } file, _, _) => new(type, dims, file, FileOffset),
        (_, { } computed, _) => new(type, dims, computed),
        (_, _, { } streamed) => new(type, dims, streamed),
        _ => new(type, dims, _memory),
    };

    /// <summary>Rows <paramref name="start"/> … <paramref name="end"/> − 1 of a matrix, on the same bytes; they must be whole
    /// bytes.</summary>
    internal OnnxTensor Rows(long start, long end)
    {
        if (start == 0 && end == _dims[0]) return this;
        var (offset, dims) = (Type.Bytes(start * _dims[1]), (long[])[end - start, .. _dims.AsSpan(1)]);
        return File is { } file
            ? new OnnxTensor(Type, dims, file, FileOffset + offset)
            : new OnnxTensor(Type, dims, Slice(offset, (int)Type.Bytes((end - start) * _dims[1])).ToArray());
    }

    /// <summary>All bytes as one span (at most 2 GB).</summary>
    internal ReadOnlySpan<byte> Bytes => Slice(0, checked((int)ByteCount));

    /// <summary>Some of the bytes; for tensors of more than 2 GB.</summary>
    internal ReadOnlySpan<byte> Slice(long offset, int length) =>
        File is { } file
            ? file.Span(FileOffset + offset, length)
            : (_streamed?.Invoke() ?? _computed?.Value ?? _memory).Span.Slice((int)offset, length);

    /// <summary>Lets go of the memory of bytes that lie in a file, until they are asked for again.</summary>
    internal void LetGo() => File?.LetGo(FileOffset, ByteCount);

    /// <summary>The elements as <typeparamref name="T"/>, which must be this tensor's own type.</summary>
    internal ReadOnlySpan<T> Span<T>()
        where T : unmanaged
    {
        if (TypeOf<T>() != Type) throw new ArgumentException($"{this} read as {typeof(T).Name}");
        return MemoryMarshal.Cast<byte, T>(Bytes);
    }

    /// <summary>The elements widened or rounded to float.</summary>
    public float[] ToFloats()
    {
        var result = new float[Count];
        switch (Type)
        {
            case ElementType.Float: Span<float>().CopyTo(result); break;
            case ElementType.Float16: TensorPrimitives.ConvertToSingle(Span<Half>(), result); break;
            case ElementType.BFloat16: WidenBFloat16(Bytes, MemoryMarshal.Cast<float, uint>(result.AsSpan())); break;
            case ElementType.Double: TensorPrimitives.ConvertChecked(Span<double>(), result); break;
            default: TensorPrimitives.ConvertChecked<long, float>(ToLongs(), result); break;
        }
        return result;
    }

    /// <summary>One element, widened or rounded to float; the others are not read.</summary>
    internal float ElementAt(long index)
    {
        var size = Type.Bits() / 8;
        return FromBytes(Type, [], Slice(index * size, size).ToArray()).ToFloats()[0];
    }

    /// <summary>The elements of an integer or boolean tensor.</summary>
    public long[] ToLongs()
    {
        var result = new long[Count];
        switch (Type)
        {
            case ElementType.Int64: Span<long>().CopyTo(result); break;
            case ElementType.Int32: TensorPrimitives.ConvertChecked(Span<int>(), result); break;
            case ElementType.Int16: TensorPrimitives.ConvertChecked(Span<short>(), result); break;
            case ElementType.UInt16: TensorPrimitives.ConvertChecked(Span<ushort>(), result); break;
            case ElementType.Int8: TensorPrimitives.ConvertChecked(Span<sbyte>(), result); break;
            case ElementType.UInt8 or ElementType.Bool: TensorPrimitives.ConvertChecked(Bytes, result); break;
            case ElementType.UInt32: TensorPrimitives.ConvertChecked(Span<uint>(), result); break;
            default: throw new ArgumentException($"{this} read as integers");
        }
        return result;
    }

    internal void CopyTo(Stream stream)
    {
        const int Block = 1 << 24;
        StopRequest.ThrowIfAny();
        if (_streamed is not null)
        {
            stream.Write(_streamed().Span);
            return;
        }
        for (long offset = 0; offset < ByteCount; offset += Block)
        {
            StopRequest.ThrowIfAny();
            var length = (int)Math.Min(Block, ByteCount - offset);
            stream.Write(Slice(offset, length));
            File?.LetGo(FileOffset + offset, length);
        }
    }

    /// <summary>Type and dimensions, for messages: <c>float[128, 64]</c>.</summary>
    public override string ToString() => $"{Type.Display()}[{string.Join(", ", _dims)}]";

    internal static ElementType TypeOf<T>() => default(T) switch
    {
        float => ElementType.Float,
        double => ElementType.Double,
        Half => ElementType.Float16,
        long => ElementType.Int64,
        int => ElementType.Int32,
        short => ElementType.Int16,
        ushort => ElementType.UInt16,
        sbyte => ElementType.Int8,
        byte => ElementType.UInt8,
        bool => ElementType.Bool,
        uint => ElementType.UInt32,
        ulong => ElementType.UInt64,
        _ => throw new ArgumentException($"{typeof(T).Name} is not an element type"),
    };

    // A bfloat16 is the upper half of a float.
    private static void WidenBFloat16(ReadOnlySpan<byte> bytes, Span<uint> floats)
    {
        TensorPrimitives.ConvertChecked(MemoryMarshal.Cast<byte, ushort>(bytes), floats);
        TensorPrimitives.ShiftLeft(floats, 16, floats);
    }
}
