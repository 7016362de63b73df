using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Reads stored tensors in any of the format's ways: raw bytes, typed fields, a second file.</summary>
internal sealed class TensorReader(string path, MappedFile? file, IReadOnlyList<(long Offset, long Length)?> rawData)
{
    private readonly Dictionary<string, MappedFile> _external = new(StringComparer.Ordinal);

    /// <summary>Reads one tensor.</summary>
    /// <param name="proto">The stored tensor.</param>
    /// <param name="index">Its position among the graph's initializers, or −1.</param>
    public OnnxTensor Read(TensorProto proto, int index)
    {
        var (type, dims) = ((ElementType)proto.DataType, proto.Dims.ToArray());
        if (dims.Any(dim => dim < 0)) throw ModelErrors.NotOnnx(path, $"tensor '{proto.Name}' has a negative dimension");
        if (type != ElementType.String && type.Bits() == 0) throw ModelErrors.UnknownType(path, proto.Name, proto.DataType);
        var expected = Expected(proto, type, dims);
        if (proto.DataLocation == 1) return ReadExternal(proto, type, dims, expected);
        if (index >= 0 && index < rawData.Count && rawData[index] is { } place)
        {
            return place.Length == expected
                ? OnnxTensor.FromFile(type, dims, file!, place.Offset)
                : throw ModelErrors.TensorSize(path, proto.Name, Describe(type, dims), place.Length);
        }
        var bytes = type == ElementType.String ? []
            : proto.HasRawData ? proto.RawData.ToByteArray()
            : TypedData(proto, type);
        return bytes.Length == expected
            ? OnnxTensor.FromBytes(type, dims, bytes)
            : throw ModelErrors.TensorSize(path, proto.Name, Describe(type, dims), bytes.Length);
    }

    public static byte[] RemainderOf(TensorProto proto)
    {
        var rest = proto.Clone();
        rest.Dims.Clear();
        rest.ClearDataType();
        rest.ClearName();
        rest.ClearRawData();
        rest.FloatData.Clear();
        rest.Int32Data.Clear();
        rest.Int64Data.Clear();
        rest.DoubleData.Clear();
        rest.Uint64Data.Clear();
        rest.ExternalData.Clear();
        rest.ClearDataLocation();
        return rest.ToByteArray();
    }

    private long Expected(TensorProto proto, ElementType type, long[] dims)
    {
        try
        {
            return type.Bytes(dims.Size());
        }
        catch (OverflowException)
        {
            throw ModelErrors.TensorSize(path, proto.Name, Describe(type, dims), proto.HasRawData ? proto.RawData.Length : 0);
        }
    }

    private OnnxTensor ReadExternal(TensorProto proto, ElementType type, long[] dims, long expected)
    {
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in proto.ExternalData)
            if (!entries.TryAdd(entry.Key, entry.Value))
                throw ModelErrors.NotOnnx(path, $"tensor '{proto.Name}' has two entries '{entry.Key}'");
        var location = entries.GetValueOrDefault("location", string.Empty);
        var data = External(proto.Name, location);
        var (offset, length) = (Number("offset", 0), Number("length", expected));
        if (length != expected || offset < 0 || offset > data.Length - length)
            throw ModelErrors.TensorSize(path, proto.Name, Describe(type, dims), Math.Max(0, Math.Min(length, data.Length - offset)));
        return OnnxTensor.FromFile(type, dims, data, offset);

        long Number(string key, long otherwise) =>
            !entries.TryGetValue(key, out var text) ? otherwise
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : throw ModelErrors.NotOnnx(path, $"tensor '{proto.Name}' has the {key} '{text}'");
    }

    private MappedFile External(string tensor, string location)
    {
        if (_external.TryGetValue(location, out var mapped)) return mapped;
        var data = ExternalFile.Find(path, location, refused: () => ModelErrors.ExternalPathLeavesFolder(path, tensor, location))
            ?? throw ModelErrors.MissingExternalFile(path, tensor, location);
        return _external[location] = MappedFile.Open(data);
    }

    // Typed fields: narrow integers, booleans and half floats (as bits) share int32_data.
    private static byte[] TypedData(TensorProto proto, ElementType type) => type switch
    {
        ElementType.Float => Raw<float>(proto.FloatData),
        ElementType.Double => Raw<double>(proto.DoubleData),
        ElementType.Int64 => Raw<long>(proto.Int64Data),
        ElementType.UInt64 => Raw<ulong>(proto.Uint64Data),
        ElementType.UInt32 => Raw<uint>(proto.Uint64Data.Select(value => (uint)value)),
        ElementType.Int32 => Raw<int>(proto.Int32Data),
        _ =>
            type.Bits() == 16
                ? Raw<ushort>(proto.Int32Data.Select(value => (ushort)value))
                : Raw<byte>(proto.Int32Data.Select(value => (byte)value)),
    };

    private static byte[] Raw<T>(IEnumerable<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values.ToArray()).ToArray();

    private static string Describe(ElementType type, long[] dims) => $"{type.Display()}[{string.Join(", ", dims)}]";
}
