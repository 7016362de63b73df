using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>A safetensors file: named tensors in a mapped file, and text metadata.</summary>
/// <remarks>Layout: header length (8 bytes, little-endian), a JSON header {name: {dtype, shape, data_offsets}, __metadata__: {…}}, the
/// data.</remarks>
/// <param name="Tensors">The tensors, by name.</param>
/// <param name="Metadata">Texts, by name.</param>
public sealed record Safetensors(IReadOnlyDictionary<string, OnnxTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    private const int LongestHeader = 100_000_000;   // as in the format's own library

    private static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false };

    private static readonly Dictionary<string, ElementType> Types = new(StringComparer.Ordinal)
    {
        ["F32"] = ElementType.Float,
        ["F64"] = ElementType.Double,
        ["F16"] = ElementType.Float16,
        ["BF16"] = ElementType.BFloat16,
        ["I64"] = ElementType.Int64,
        ["I32"] = ElementType.Int32,
        ["I16"] = ElementType.Int16,
        ["I8"] = ElementType.Int8,
        ["U8"] = ElementType.UInt8,
        ["U16"] = ElementType.UInt16,
        ["U32"] = ElementType.UInt32,
        ["U64"] = ElementType.UInt64,
        ["BOOL"] = ElementType.Bool,
    };

    private static readonly Dictionary<ElementType, string> Names = Types.ToDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>Opens a file; its tensors are read from disk when they are touched.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LortaException">LRT101, LRT103: not readable; LRT105: not a safetensors file.</exception>
    public static Safetensors Load(string path)
    {
        var file = MappedFile.Open(path);
        if (file.Length < 8) throw FileErrors.Corrupt(path, "too short for a safetensors file");
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, 8));
        if (headerLength > LongestHeader || (long)headerLength + 8 > file.Length)
            throw FileErrors.Corrupt(path, "the safetensors header is longer than the file");
        try
        {
            using var header = JsonDocument.Parse(file.Span(8, (int)headerLength).ToArray(), Json);
            return Read(file, 8 + (long)headerLength, header.RootElement);
        }
        catch (Exception e) when (e is JsonException
            or InvalidOperationException
            or KeyNotFoundException
            or FormatException
            or OverflowException)
        {
            throw FileErrors.Corrupt(path, "the safetensors header cannot be read");
        }
    }

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="LortaException">LRT106: the file has none of that name.</exception>
    internal OnnxTensor Get(string path, string name) => Tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new LortaException(
            "LRT106",
            $"{path}: tensor '{name}' is missing.",
            $"The file holds {string.Join(", ", Tensors.Keys.Take(8))}{(Tensors.Count > 8 ? ", …" : string.Empty)}.");

    /// <summary>Writes the tensors in ordinal order of their names: equal content gives equal bytes.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="tensors">The tensors, by name.</param>
    /// <param name="metadata">Texts, by name; null = none.</param>
    /// <exception cref="LortaException">LRT104: it cannot be written.</exception>
    public static void Save(
        string path, IReadOnlyDictionary<string, OnnxTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <inheritdoc cref="Save"/>
    internal static void Write(
        Stream stream, IReadOnlyDictionary<string, OnnxTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var header = Header(ordered, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var (_, tensor) in ordered) tensor.CopyTo(stream);
    }

    private static byte[] Header(List<KeyValuePair<string, OnnxTensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", Names[tensor.Type]);
                WriteArray(json, "shape", tensor.Dims);
                WriteArray(json, "data_offsets", [offset, offset += tensor.ByteCount]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        var padding = (8 - (buffer.Length % 8)) % 8;   // the format wants data aligned to 8 bytes
        buffer.Write(Encoding.ASCII.GetBytes(new string(' ', (int)padding)));
        return buffer.ToArray();
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private static Safetensors Read(MappedFile file, long dataStart, JsonElement header)
    {
        var tensors = new SortedDictionary<string, OnnxTensor>(StringComparer.Ordinal);
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in header.EnumerateObject())
        {
            if (entry.Name == "__metadata__")
            {
                foreach (var pair in entry.Value.EnumerateObject())
                    metadata[pair.Name] = pair.Value.GetString() ?? throw new FormatException(pair.Name);
                continue;
            }
            tensors[entry.Name] = ReadTensor(file, dataStart, entry);
        }
        CheckCover(file, dataStart, tensors);
        return new Safetensors(tensors, metadata);
    }

    // Each byte behind the header belongs to one tensor: what overlaps, is left out or follows the last one is no safetensors file.
    private static void CheckCover(MappedFile file, long dataStart, IReadOnlyDictionary<string, OnnxTensor> tensors)
    {
        var at = dataStart;
        foreach (var (name, tensor) in tensors.OrderBy(pair => pair.Value.FileOffset).ThenBy(pair => pair.Value.ByteCount))
        {
            if (tensor.FileOffset < at) throw FileErrors.Corrupt(file.Path, $"tensor '{name}' overlaps the one before it");
            if (tensor.FileOffset > at)
                throw FileErrors.Corrupt(file.Path, $"{tensor.FileOffset - at} bytes before tensor '{name}' belong to none");
            at += tensor.ByteCount;
        }
        if (at < file.Length) throw FileErrors.Corrupt(file.Path, $"{file.Length - at} bytes at its end belong to no tensor");
    }

    private static OnnxTensor ReadTensor(MappedFile file, long dataStart, JsonProperty entry)
    {
        var dtype = entry.Value.GetProperty("dtype").GetString() ?? string.Empty;
        if (!Types.TryGetValue(dtype, out var type))
            throw FileErrors.Corrupt(file.Path, $"tensor '{entry.Name}' has the unknown type {dtype}");
        var dims = entry.Value.GetProperty("shape").EnumerateArray().Select(dim => dim.GetInt64()).ToArray();
        var offsets = entry.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        if (dims.Any(dim => dim < 0)) throw FileErrors.Corrupt(file.Path, $"tensor '{entry.Name}' has a negative dimension");
        var bytes = type.Bytes(dims.Size());
        if (offsets is not [>= 0, >= 0] || offsets[1] - offsets[0] != bytes || offsets[1] > file.Length - dataStart)
            throw FileErrors.Corrupt(
                file.Path,
                string.Create(CultureInfo.InvariantCulture, $"tensor '{entry.Name}' of {bytes} bytes is not within the file"));
        return OnnxTensor.FromFile(type, dims, file, dataStart + offsets[0]);
    }
}
