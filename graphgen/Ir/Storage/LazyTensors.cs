using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Parses a model without reading its weights: large raw_data fields of initializers are left out and their place in the file is
/// noted.</summary>
/// <remarks>A protobuf message is a sequence of (tag, payload); fields may come in any order, so a copy of the bytes without some fields
/// parses like the original.</remarks>
internal static class LazyTensors
{
    private const long Small = 1024;
    private const int GraphField = 7;
    private const int OpsetField = 8;
    private const int LastModelField = 100;   // the format has 26 today
    private const int InitializerField = 5;
    private const int RawDataField = 9;
    private const int LengthDelimited = 2;

    /// <summary>The model, and for each initializer by position where its raw data lies in the file (null: it was parsed along).</summary>
    public static (ModelProto Model, IReadOnlyList<(long Offset, long Length)?> RawData) Parse(MappedFile file)
    {
        var rawData = new List<(long, long)?>();
        using var model = new MemoryStream();
        foreach (var field in Fields(file, 0, file.Length))
        {
            if (field.Number != GraphField)
            {
                Copy(file, field.Start, field.End, model);
                continue;
            }
            using var graph = new MemoryStream();
            foreach (var inner in Fields(file, field.Payload, field.End))
            {
                if (inner.Number == InitializerField) rawData.Add(CopyInitializer(file, inner, graph));
                else Copy(file, inner.Start, inner.End, graph);
            }
            WriteDelimited(model, GraphField, graph);
        }
        return (ModelProto.Parser.ParseFrom(model.GetBuffer().AsSpan(0, (int)model.Length)), rawData);
    }

    /// <summary>Whether the outermost fields are those of a model, with a graph among them, and fill the file.</summary>
    /// <exception cref="LortaException">LRT111: they are no fields at all.</exception>
    public static bool HasModelFields(MappedFile file)
    {
        var (hasGraph, hasOpset) = (false, false);
        foreach (var field in Fields(file, 0, file.Length))
        {
            if (field.Number > LastModelField) return false;
            hasOpset |= field.Number == OpsetField;
            hasGraph |= field.Number == GraphField && Fields(file, field.Payload, field.End).Any();
        }
        return hasGraph && hasOpset;
    }

    private static (long, long)? CopyInitializer(MappedFile file, Field initializer, MemoryStream graph)
    {
        (long, long)? place = null;
        using var tensor = new MemoryStream();
        foreach (var field in Fields(file, initializer.Payload, initializer.End))
        {
            if (field.Number == RawDataField && field.End - field.Payload > Small) place = (field.Payload, field.End - field.Payload);
            else Copy(file, field.Start, field.End, tensor);
        }
        WriteDelimited(graph, InitializerField, tensor);
        return place;
    }

    private static void WriteDelimited(MemoryStream target, int number, MemoryStream payload)
    {
        using var output = new CodedOutputStream(target, leaveOpen: true);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteLength(checked((int)payload.Length));
        output.Flush();
        payload.WriteTo(target);
    }

    private static void Copy(MappedFile file, long start, long end, MemoryStream target)
    {
        const int Block = 1 << 26;
        for (var at = start; at < end; at += Block) target.Write(file.Span(at, (int)Math.Min(Block, end - at)));
    }

    private static IEnumerable<Field> Fields(MappedFile file, long start, long end)
    {
        for (var at = start; at < end;)
        {
            var field = ReadField(file, at, end);
            yield return field;
            at = field.End;
        }
    }

    private static Field ReadField(MappedFile file, long start, long end)
    {
        var at = start;
        var tag = ReadVarint(file, ref at, end);
        var payload = at;
        switch (tag & 7)
        {
            case 0: ReadVarint(file, ref at, end); break;
            case 1: at += 8; break;
            case 5: at += 4; break;
            case LengthDelimited:
                var length = ReadVarint(file, ref at, end);
                payload = at;
                at = length > (ulong)(end - at) ? throw Malformed(file) : at + (long)length;
                break;
            default: throw Malformed(file);
        }
        return at > end || tag >> 3 == 0 ? throw Malformed(file) : new Field((int)(tag >> 3), start, payload, at);
    }

    private static ulong ReadVarint(MappedFile file, ref long at, long end)
    {
        Span<byte> window = stackalloc byte[10];
        window.Clear();
        file.Span(at, (int)Math.Min(10, end - at)).CopyTo(window);
        ulong value = 0;
        for (var i = 0; i < 10; i++)
        {
            value |= (ulong)(window[i] & 0x7F) << (7 * i);
            if (window[i] >= 0x80) continue;
            at += i + 1;
            return value;
        }
        throw Malformed(file);
    }

    private static LortaException Malformed(MappedFile file) => ModelErrors.NotOnnx(file.Path, "its bytes are not an ONNX protobuf");

    private readonly record struct Field(int Number, long Start, long Payload, long End);
}
