using System.Buffers.Binary;
using System.Text;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>A FlatBuffer on disk that may be damaged: nothing is believed before it was compared with the end of the file.</summary>
/// <remarks>Parts may be shared, so a small file can describe more than memory holds; what is read in all is limited too.</remarks>
internal sealed class FlatFile
{
    private const int HeaderLength = 8;   // offset of the root table, identifier
    private const int ReadingsOfEachByte = 16;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly MappedFile _file;
    private long _left;

    private FlatFile(MappedFile file) => (_file, _left) = (file, file.Length * ReadingsOfEachByte);

    /// <summary>The file.</summary>
    public MappedFile Mapped => _file;

    /// <summary>The root table of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="identifier">What its bytes 4 … 7 spell.</param>
    /// <param name="format">What such a file is, for messages.</param>
    /// <exception cref="LortaException">LRT101, LRT103: not readable; LRT105: another format.</exception>
    public static FlatTable Open(string path, string identifier, string format)
    {
        var file = new FlatFile(MappedFile.Open(path));
        if (file._file.Length < HeaderLength || Encoding.ASCII.GetString(file._file.Span(4, 4)) != identifier)
            throw file.Corrupt($"is not {format}");
        return file.TableAt(file.Target(0));
    }

    /// <summary>A failure of this file.</summary>
    public LortaException Corrupt(string what) => FileErrors.Corrupt(_file.Path, what);

    /// <summary>Some bytes.</summary>
    public ReadOnlySpan<byte> Read(long position, long length)
    {
        if (length > int.MaxValue || (_left -= length) < 0) throw Corrupt("describes more than the file can hold");
        return _file.Span(position, (int)length);
    }

    /// <summary>A table.</summary>
    public FlatTable TableAt(long position)
    {
        var fields = position - BinaryPrimitives.ReadInt32LittleEndian(Read(position, sizeof(int)));
        return new FlatTable(this, position, fields, Count(fields), Count(fields + sizeof(ushort)));

        ushort Count(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Read(at, sizeof(ushort)));
    }

    /// <summary>Where an offset that is stored at a position leads.</summary>
    public long Target(long position) => position + BinaryPrimitives.ReadUInt32LittleEndian(Read(position, sizeof(uint)));

    /// <summary>The first element and the number of elements of the vector that an offset leads to.</summary>
    public (long First, long Count) Vector(long position, int elementSize)
    {
        var start = Target(position);
        var count = (long)BinaryPrimitives.ReadUInt32LittleEndian(Read(start, sizeof(uint)));
        var first = start + sizeof(uint);
        if (first + (count * elementSize) > _file.Length) throw Corrupt("holds a list that is longer than the file");
        return (first, count);
    }

    /// <summary>The text that an offset leads to.</summary>
    public string Text(long position)
    {
        var (first, length) = Vector(position, 1);
        try
        {
            return Utf8.GetString(Read(first, length));
        }
        catch (DecoderFallbackException)
        {
            throw Corrupt("holds a name that is not UTF-8");
        }
    }
}

/// <summary>A table of a FlatBuffer, whose fields are found by their slots; one that is absent has its default.</summary>
/// <param name="File">The file.</param>
/// <param name="Position">First byte of the table.</param>
/// <param name="Fields">Where the list of its fields begins.</param>
/// <param name="FieldsLength">Bytes of that list.</param>
/// <param name="Length">Bytes of the table.</param>
internal readonly record struct FlatTable(FlatFile File, long Position, long Fields, int FieldsLength, int Length)
{
    /// <summary>An int32; so are the others below for their types.</summary>
    public int Int(int slot, int otherwise) =>
        Field(slot, sizeof(int)) is { } at ? BinaryPrimitives.ReadInt32LittleEndian(File.Read(at, sizeof(int))) : otherwise;

    public long Long(int slot, long otherwise) =>
        Field(slot, sizeof(long)) is { } at ? BinaryPrimitives.ReadInt64LittleEndian(File.Read(at, sizeof(long))) : otherwise;

    public float Float(int slot, float otherwise) =>
        Field(slot, sizeof(float)) is { } at ? BinaryPrimitives.ReadSingleLittleEndian(File.Read(at, sizeof(float))) : otherwise;

    public bool Bool(int slot) => Field(slot, sizeof(byte)) is { } at && File.Read(at, sizeof(byte))[0] != 0;

    /// <summary>A text; null where it is absent.</summary>
    public string? Text(int slot) => Field(slot, sizeof(uint)) is { } at ? File.Text(at) : null;

    /// <summary>A table; null where it is absent.</summary>
    public FlatTable? Table(int slot) => Field(slot, sizeof(uint)) is { } at ? File.TableAt(File.Target(at)) : null;

    /// <summary>A list of tables; null where it is absent.</summary>
    public IReadOnlyList<FlatTable>? Tables(int slot)
    {
        if (Field(slot, sizeof(uint)) is not { } at) return null;
        var (first, count) = File.Vector(at, sizeof(uint));
        var tables = new List<FlatTable>();
        for (var i = 0L; i < count; i++) tables.Add(File.TableAt(File.Target(first + (i * sizeof(uint)))));
        return tables;
    }

    /// <summary>A list of int64; empty where it is absent.</summary>
    public IReadOnlyList<long> Longs(int slot)
    {
        if (Field(slot, sizeof(uint)) is not { } at) return [];
        var (first, count) = File.Vector(at, sizeof(long));
        var bytes = File.Read(first, count * sizeof(long));
        var numbers = new long[count];
        for (var i = 0; i < count; i++) numbers[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * sizeof(long))..]);
        return numbers;
    }

    /// <summary>Where a list of bytes lies; null where it is absent.</summary>
    public (long First, long Count)? Bytes(int slot) => Field(slot, sizeof(uint)) is { } at ? File.Vector(at, 1) : null;

    private long? Field(int slot, int size)
    {
        var entry = sizeof(ushort) * (slot + 2);   // behind the lengths of the list and of the table
        if (entry + sizeof(ushort) > FieldsLength) return null;
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(File.Read(Fields + entry, sizeof(ushort)));
        if (offset == 0) return null;
        return offset + size <= Length ? Position + offset : throw File.Corrupt("holds a field that lies outside its table");
    }
}
