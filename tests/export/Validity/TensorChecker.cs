using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.Export.Tests.Validity;

/// <summary>Says what is wrong with the tensors of a file: types, sizes, where their data lie.</summary>
/// <param name="model">The file; data outside lie beside it.</param>
internal sealed class TensorChecker(string model)
{
    private readonly List<Range> _ranges = [];

    /// <summary>One sentence for each fault of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="at">What it is, for the sentence.</param>
    public IEnumerable<string> Findings(TensorProto tensor, string at)
    {
        var type = (ElementType)tensor.DataType;
        if (type is ElementType.Undefined || !Enum.IsDefined(type)) return [$"{at} has the type {tensor.DataType}"];
        if (tensor.Dims.Any(dim => dim < 0)) return [$"{at} has a negative dimension"];
        var count = tensor.Dims.Aggregate(1L, (product, dim) => product * dim);
        var fields = Fields(tensor).Where(field => field.Elements > 0).ToList();
        return (tensor.DataLocation, fields) switch
        {
            (1, []) => Outside(tensor, at, type.Bytes(count)),
            (1, _) => [$"{at} has its data outside and inside"],
            (_, []) => count == 0 ? [] : [$"{at} has no data"],
            (_, [var field]) => Inside(field, type, count, at),
            _ => [$"{at} has its data in several fields"],
        };
    }

    /// <summary>Tensors outside that share bytes without being the same bytes.</summary>
    public IEnumerable<string> Overlaps()
    {
        var ordered = _ranges.Distinct().OrderBy(range => (range.File, range.Start)).ThenBy(range => range.End).ToList();
        return ordered.Zip(ordered.Skip(1)).Where(pair => pair.First.File == pair.Second.File && pair.Second.Start < pair.First.End).Select(pair => $"tensors in '{pair.First.File}' overlap");
    }

    private static IEnumerable<Field> Fields(TensorProto tensor) =>
    [
        new("raw", tensor.RawData.Length), new("float", tensor.FloatData.Count), new("int32", tensor.Int32Data.Count), new("string", tensor.StringData.Count),
        new("int64", tensor.Int64Data.Count), new("double", tensor.DoubleData.Count), new("uint64", tensor.Uint64Data.Count),
    ];

    // Narrow integers, booleans and halves share the field of int32, two 4-bit numbers one entry of it.
    private static IEnumerable<string> Inside(Field field, ElementType type, long count, string at)
    {
        var (name, elements) = type switch
        {
            _ when field.Name is "raw" && type is not ElementType.String => ("raw", type.Bytes(count)),
            ElementType.Float => ("float", count),
            ElementType.Complex64 => ("float", 2 * count),
            ElementType.Double => ("double", count),
            ElementType.Complex128 => ("double", 2 * count),
            ElementType.Int64 => ("int64", count),
            ElementType.UInt32 or ElementType.UInt64 => ("uint64", count),
            ElementType.String => ("string", count),
            _ => ("int32", type.Bits() == 4 ? type.Bytes(count) : count),
        };
        return field == new Field(name, elements) ? [] : [$"{at} has {field.Elements} entries of {field.Name} data, expected {elements} of {name}"];
    }

    private IEnumerable<string> Outside(TensorProto tensor, string at, long expected)
    {
        var entries = tensor.ExternalData.ToLookup(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
        var location = entries["location"].FirstOrDefault(string.Empty);
        if (entries.Any(group => group.Skip(1).Any())) return [$"{at} has an entry twice"];
        if (location.Length == 0 || Path.IsPathRooted(location) || location.Split('/', '\\').Contains("..")) return [$"{at} has its data in '{location}'"];
        var file = new FileInfo(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(model))!, location));
        if (!file.Exists) return [$"{at}: '{location}' does not exist"];
        var offset = Number(entries["offset"]) ?? 0;
        var length = Number(entries["length"]) ?? (file.Length - offset);
        if (length != expected) return [$"{at} has {length} bytes in '{location}', expected {expected}"];
        if (offset < 0 || offset + length > file.Length) return [$"{at} ends behind '{location}'"];
        _ranges.Add(new Range(location, offset, offset + length));
        return [];
    }

    private static long? Number(IEnumerable<string> texts) => texts.FirstOrDefault() is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    private readonly record struct Field(string Name, long Elements);

    private readonly record struct Range(string File, long Start, long End);
}
