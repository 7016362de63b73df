using System.Globalization;
using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Writes models. The message is composed by hand around its initializers, so that weights go from file to file and never through
/// the heap.</summary>
internal static class ModelWriter
{
    private const int GraphField = 7;
    private const int InitializerField = 5;
    private const int RawDataField = 9;
    private const long InlineLimit = int.MaxValue - (64L << 20);   // a protobuf message ends at 2 GB

    /// <summary>Writes the model, and its large constants to a data file where they do not fit or were apart before.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">Its file.</param>
    /// <param name="placeCompanion">Puts what belongs to the model in its place, just before the model file; null = nothing does.</param>
    /// <returns>The files.</returns>
    /// <exception cref="LortaException">LRT104: the folder cannot be written or the disk is full.</exception>
    public static IReadOnlyList<string> Save(OnnxModel model, string path, Action? placeCompanion = null)
    {
        var isApart = model.Graph.Initializers.Any(value => value.IsExternal)
            || model.Graph.Initializers.Sum(value => value.Constant!.ByteCount) > InlineLimit;
        try
        {
            string? data = null;
            if (isApart) data = SaveApart(model, path, placeCompanion);
            else SaveWhole(model, path, placeCompanion);
            DataFile.RemoveUnused(path, data);
            return data is null ? [path] : [path, data];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(path, e);
        }
    }

    private static void SaveWhole(OnnxModel model, string path, Action? placeCompanion)
    {
        using var file = PendingFile.Beside(path);
        Write(model, file.Stream, null);
        file.Place(path, placeCompanion);
    }

    // The data first, under a name that no older model file uses; the model file last, in one rename. It is begun first: its lock shows
    // that somebody is going to need the data.
    private static string SaveApart(OnnxModel model, string path, Action? placeCompanion)
    {
        using var file = PendingFile.Beside(path);
        using var data = PendingFile.Beside(path);
        using var hashed = new HashingStream(data.Stream);
        var layout = new ExternalLayout(string.Empty, model.Graph.Initializers);
        layout.Write(hashed);
        var dataPath = DataFile.PathFor(path, hashed.Hash);
        Write(model, file.Stream, value => layout.PlaceOf(value) is { } place
            ? place with { Location = Path.GetFileName(dataPath) }
            : null);
        var isNew = !File.Exists(dataPath);
        data.Place(dataPath);
        try
        {
            file.Place(path, placeCompanion);
        }
        catch when (isNew && !file.IsPlaced)
        {
            FileSteps.Delete(dataPath);
            throw;
        }
        return dataPath;
    }

    /// <summary>The model as bytes, for runtimes that load from memory.</summary>
    /// <param name="model">The model.</param>
    /// <param name="external">Where a constant lies that is not to be part of the bytes; null (or a null place): it is.</param>
    public static byte[] ToBytes(OnnxModel model, Func<Value, ExternalPlace?>? external = null)
    {
        using var stream = new MemoryStream();
        Write(model, stream, external);
        return stream.ToArray();
    }

    private static void Write(OnnxModel model, Stream stream, Func<Value, ExternalPlace?>? external)
    {
        var initializers = model.Graph.Initializers
            .Select(value => (Header: Header(value, external?.Invoke(value)),
                Data: external?.Invoke(value) is null ? value.Constant : null))
            .ToList();
        var skeleton = Skeleton(model.Graph, ListsInitializers(model));
        var graphLength = skeleton.Length
            + initializers.Sum(item => TagSize(InitializerField)
                + LengthSize(item.Header.Length + RawSize(item.Data))
                + item.Header.Length
                + RawSize(item.Data));
        stream.Write(ModelFields(model));
        WriteTag(stream, GraphField, graphLength);
        stream.Write(skeleton);
        foreach (var (header, data) in initializers)
        {
            WriteTag(stream, InitializerField, header.Length + RawSize(data));
            stream.Write(header);
            if (RawSize(data) == 0) continue;
            WriteTag(stream, RawDataField, data!.ByteCount);
            data.CopyTo(stream);
        }
    }

    private static byte[] ModelFields(OnnxModel model)
    {
        var proto = ModelProto.Parser.ParseFrom(model.Remainder.Span);
        (proto.IrVersion, proto.ProducerName) = (model.IrVersion, model.Producer);
        foreach (var (domain, version) in model.OpsetVersions)
            proto.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = version });
        foreach (var (key, value) in model.Metadata) proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return proto.ToByteArray();
    }

    // Before version 4 of the format, every initializer is an input as well.
    private static bool ListsInitializers(OnnxModel model) => model.IrVersion < 4;

    private static byte[] Skeleton(Graph graph, bool listsInitializers)
    {
        var proto = GraphProto.Parser.ParseFrom(graph.Remainder.Span);
        proto.Name = graph.Name.Length > 0 ? graph.Name : "graph";
        proto.Input.AddRange(graph.Inputs.Select(Declaration));
        if (listsInitializers) proto.Input.AddRange(graph.Initializers.Where(value => !value.IsInput).Select(Declaration));
        proto.Output.AddRange(graph.Outputs.Select(Declaration));
        proto.ValueInfo.AddRange(graph.Values
            .Where(value => (!value.Declaration.IsEmpty
                || (graph.IsDeclared && value.Producer is not null && value.Type != ElementType.Undefined))
                && !value.IsInput
                && !graph.IsOutput(value))
            .Select(Declaration));
        proto.Node.AddRange(graph.Nodes.Select(NodeOf));
        return proto.ToByteArray();
    }

    private static NodeProto NodeOf(Node node)
    {
        var proto = NodeProto.Parser.ParseFrom(node.Remainder.Span);
        (proto.OpType, proto.Name) = (node.OpType, node.Name);
        if (node.Domain.Length > 0) proto.Domain = node.Domain;
        proto.Input.AddRange(node.Inputs.Select(value => value?.Name ?? string.Empty));
        proto.Output.AddRange(node.Outputs.Select(value => value?.Name ?? string.Empty));
        foreach (var (name, attribute) in node.Attributes) proto.Attribute.Add(AttributeOf(name, attribute));
        foreach (var (key, value) in node.Metadata) proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return proto;
    }

    private static AttributeProto AttributeOf(string name, OnnxAttribute attribute)
    {
        if (attribute.Kind == AttrKind.Opaque) return AttributeProto.Parser.ParseFrom((byte[])attribute.Value);
        var proto = new AttributeProto { Name = name, Type = (int)attribute.Kind };
        switch (attribute.Value)
        {
            case float f: proto.F = f; break;
            case long i: proto.I = i; break;
            case byte[] s: proto.S = ByteString.CopyFrom(s); break;
            case float[] floats: proto.Floats.AddRange(floats); break;
            case long[] ints: proto.Ints.AddRange(ints); break;
            case byte[][] strings: proto.Strings.AddRange(strings.Select(ByteString.CopyFrom)); break;
            case OnnxTensor tensor: proto.T = TensorOf(tensor); break;
        }
        return proto;
    }

    private static TensorProto TensorOf(OnnxTensor tensor)
    {
        var proto = new TensorProto { DataType = (int)tensor.Type, RawData = ByteString.CopyFrom(tensor.Bytes) };
        proto.Dims.AddRange(tensor.Dims);
        return proto;
    }

    private static ValueInfoProto Declaration(Value value)
    {
        if (!value.Declaration.IsEmpty)
        {
            var stored = ValueInfoProto.Parser.ParseFrom(value.Declaration.Span);
            stored.Name = value.Name;
            return stored;
        }
        var type = new TypeProto.Types.Tensor { ElemType = (int)value.Type };
        if (value.Shape is { } shape)
        {
            type.Shape = new TensorShapeProto();
            foreach (var dim in shape) type.Shape.Dim.Add(DimensionOf(dim));
        }
        return new ValueInfoProto { Name = value.Name, Type = new TypeProto { TensorType = type } };
    }

    private static TensorShapeProto.Types.Dimension DimensionOf(Dim dim) =>
        dim.Value is { } size ? new() { DimValue = size } : new() { DimParam = dim.ToString() };

    private static byte[] Header(Value value, ExternalPlace? place)
    {
        var proto = TensorProto.Parser.ParseFrom(value.Remainder.Span);
        (proto.Name, proto.DataType) = (value.Name, (int)value.Constant!.Type);
        proto.Dims.AddRange(value.Constant.Dims);
        if (place is not { } at) return proto.ToByteArray();
        proto.DataLocation = 1;
        proto.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = at.Location });
        proto.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = at.Offset.ToString(CultureInfo.InvariantCulture) });
        proto.ExternalData.Add(new StringStringEntryProto
        {
            Key = "length",
            Value = value.Constant.ByteCount.ToString(CultureInfo.InvariantCulture),
        });
        return proto.ToByteArray();
    }

    private static long RawSize(OnnxTensor? data) =>
        data is { ByteCount: > 0 and var bytes } ? TagSize(RawDataField) + LengthSize(bytes) + bytes : 0;

    private static int TagSize(int field) => CodedOutputStream.ComputeTagSize(field);

    private static int LengthSize(long length) => CodedOutputStream.ComputeUInt64Size((ulong)length);

    private static void WriteTag(Stream stream, int field, long length)
    {
        using var output = new CodedOutputStream(stream, leaveOpen: true);
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteUInt64((ulong)length);
    }
}
