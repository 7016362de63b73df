using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Inlining;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Reads ONNX files into the intermediate representation. Protobuf types end here.</summary>
/// <remarks>What the representation does not model travels along as the remaining bytes of each message, so that writing loses
/// nothing.</remarks>
internal static class ModelReader
{
    private const int LongestFormula = 500;   // characters of a size such as past + 2*sequence

    public static OnnxModel Read(string path)
    {
        var file = MappedFile.Open(path);
        try
        {
            var (proto, rawData) = LazyTensors.Parse(file);
            return Read(path, proto, new TensorReader(path, file, rawData));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or OverflowException or ArgumentException)
        {
            throw ModelErrors.NotOnnx(path, "its bytes are not an ONNX protobuf", e);
        }
    }

    /// <summary>A model from bytes in memory (small ones: tests, templates).</summary>
    public static OnnxModel Read(ReadOnlySpan<byte> bytes) =>
        Read(string.Empty, ModelProto.Parser.ParseFrom(bytes), new TensorReader(string.Empty, null, []));

    private static OnnxModel Read(string path, ModelProto proto, TensorReader tensors)
    {
        if (proto.Graph is not { Node.Count: > 0 } || proto.OpsetImport.Count == 0) throw ModelErrors.NotOnnx(path, "it has no graph");
        var functions = FunctionInliner.Inline(proto);
        BranchInliner.Inline(proto.Graph, copy => ReadGraph(path, copy, tensors));
        var graph = ReadGraph(path, proto.Graph, tensors);
        var opsets = proto.OpsetImport.ToArray();
        var metadata = proto.MetadataProps.ToArray();
        var irVersion = proto.IrVersion;
        var producer = proto.ProducerName;
        var model = new OnnxModel(graph)
        {
            Path = path,
            IrVersion = irVersion,
            Producer = producer,
            Functions = functions,
            Remainder = RemainderOf(proto),   // takes out of the message what was read above
        };
        foreach (var opset in opsets)
        {
            if (!model.OpsetVersions.TryAdd(OnnxOpsets.DomainOf(opset.Domain), opset.Version))
                throw ModelErrors.DefinedTwice(path, $"opset of {OnnxOpsets.NameOf(opset.Domain)}");
        }
        foreach (var entry in metadata) model.Metadata[entry.Key] = entry.Value;
        if (model.Opset is < OnnxOpsets.Oldest or > OnnxOpsets.Newest)
            throw ModelErrors.OpsetNotSupported(path, string.Empty, model.Opset, OnnxOpsets.Range);
        return model;
    }

    private static Graph ReadGraph(string path, GraphProto proto, TensorReader tensors)
    {
        var graph = new Graph(proto.Name);
        foreach (var info in proto.Input) Declare(graph.AddInput(Unused(graph, path, info.Name), ElementType.Undefined, null), info);
        for (var i = 0; i < proto.Initializer.Count; i++) ReadInitializer(graph, path, proto.Initializer[i], tensors, i);
        foreach (var node in proto.Node)
            foreach (var output in node.Output.Where(name => name.Length > 0)) graph.AddValue(Unused(graph, path, output));
        foreach (var node in proto.Node) graph.Add(ReadNode(graph, path, node, tensors));
        foreach (var info in proto.ValueInfo) if (graph.Find(info.Name) is { } value) Declare(value, info);
        foreach (var info in proto.Output)
        {
            var value = graph.Find(info.Name) ?? throw ModelErrors.UndefinedValue(path, "graph outputs", info.Name);
            if (graph.IsOutput(value)) throw ModelErrors.DefinedTwice(path, info.Name);
            Declare(value, info);
            graph.AddOutput(value);
        }
        graph.Sort();
        graph.Remainder = RemainderOf(proto);
        return graph;
    }

    private static void ReadInitializer(Graph graph, string path, TensorProto proto, TensorReader tensors, int index)
    {
        var tensor = tensors.Read(proto, index);
        var value = graph.Find(proto.Name) is { IsInput: true, Constant: null } input
            ? input
            : graph.AddValue(Unused(graph, path, proto.Name));
        value.Constant = tensor;
        value.Type = tensor.Type;
        value.Shape = Shape.Of(tensor);
        (value.IsExternal, value.Remainder) = (proto.DataLocation == 1, TensorReader.RemainderOf(proto));
    }

    private static Node ReadNode(Graph graph, string path, NodeProto proto, TensorReader tensors)
    {
        if (OperandCounts.Missing(proto) is { } missing) throw ModelErrors.MissingOperand(path, Label(proto), missing);
        var node = new Node(
            proto.OpType, proto.Domain, proto.Input.Select(Found), proto.Output.Select(name => name.Length == 0 ? null : graph.Find(name)))
        {
            Name = proto.Name,
            Captures = [.. proto.Attribute.SelectMany(Subgraphs)
                .SelectMany(CapturedNames)
                .Distinct(StringComparer.Ordinal)
                .Select(graph.Find)
                .OfType<Value>()],
        };
        foreach (var attribute in proto.Attribute)
            if (!node.Attributes.TryAdd(attribute.Name, ReadAttribute(attribute, tensors)))
                throw ModelErrors.AttributeTwice(path, Label(proto), attribute.Name);
        foreach (var entry in proto.MetadataProps) node.Metadata[entry.Key] = entry.Value;
        node.Remainder = RemainderOf(proto);
        return node;

        Value? Found(string name) =>
            name.Length == 0 ? null : graph.Find(name) ?? throw ModelErrors.UndefinedValue(path, Label(proto), name);
    }

    private static string Label(NodeProto proto) => proto.Name.Length > 0 ? proto.Name : proto.OpType;

    private static OnnxAttribute ReadAttribute(AttributeProto proto, TensorReader tensors) => (AttrKind)proto.Type switch
    {
        _ when proto.HasRefAttrName => new OnnxAttribute(AttrKind.Opaque, proto.ToByteArray()),
        AttrKind.Float => proto.F,
        AttrKind.Int => proto.I,
        AttrKind.String => new OnnxAttribute(AttrKind.String, proto.S.ToByteArray()),
        AttrKind.Tensor when proto.T is not null && proto.T.DataType != (int)ElementType.String => tensors.Read(proto.T, -1),
        AttrKind.Floats => new OnnxAttribute(AttrKind.Floats, proto.Floats.ToArray()),
        AttrKind.Ints => proto.Ints.ToArray(),
        AttrKind.Strings => new OnnxAttribute(AttrKind.Strings, proto.Strings.Select(text => text.ToByteArray()).ToArray()),
        _ => new OnnxAttribute(AttrKind.Opaque, proto.ToByteArray()),
    };

    private static void Declare(Value value, ValueInfoProto info)
    {
        value.Declaration = info.ToByteArray();
        if (info.Type?.TensorType is not { } type || value.Constant is not null) return;
        value.Type = (ElementType)type.ElemType;
        if (type.Shape is null) return;
        var shape = type.Shape.Dim.Select((dim, axis) => dim.ValueCase switch
        {
            // some exporters write −1 for "unknown"
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when dim.DimValue >= 0 => new Dim(dim.DimValue),
            TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam when dim.DimParam.Length is > 0 and < LongestFormula =>
                Dim.Parse(dim.DimParam),
            _ => Dim.Symbol($"{info.Name}.{axis}"),
        });
        value.Shape = [.. shape];
    }

    private static string Unused(Graph graph, string path, string name) =>
        name.Length > 0 && graph.Find(name) is null ? name : throw ModelErrors.DefinedTwice(path, name);

    private static IEnumerable<GraphProto> Subgraphs(AttributeProto attribute) =>
        attribute.G is null ? attribute.Graphs : attribute.Graphs.Append(attribute.G);

    private static IEnumerable<string> CapturedNames(GraphProto graph)
    {
        var own = graph.Input.Select(input => input.Name)
            .Concat(graph.Initializer.Select(tensor => tensor.Name))
            .Concat(graph.Node.SelectMany(node => node.Output))
            .ToHashSet(StringComparer.Ordinal);
        var inner = graph.Node.SelectMany(node => node.Attribute).SelectMany(Subgraphs).SelectMany(CapturedNames);
        return graph.Node.SelectMany(node => node.Input)
            .Concat(graph.Output.Select(output => output.Name))
            .Concat(inner)
            .Where(name => name.Length > 0 && !own.Contains(name));
    }

    private static byte[] RemainderOf(ModelProto proto)
    {
        proto.Graph = null;
        proto.ClearIrVersion();
        proto.ClearProducerName();
        proto.OpsetImport.Clear();
        proto.MetadataProps.Clear();
        return proto.ToByteArray();
    }

    private static byte[] RemainderOf(GraphProto proto)
    {
        proto.ClearName();
        proto.Node.Clear();
        proto.Initializer.Clear();
        proto.Input.Clear();
        proto.Output.Clear();
        proto.ValueInfo.Clear();
        return proto.ToByteArray();
    }

    private static byte[] RemainderOf(NodeProto proto)
    {
        proto.Input.Clear();
        proto.Output.Clear();
        proto.ClearName();
        proto.ClearOpType();
        proto.ClearDomain();
        proto.Attribute.Clear();
        proto.MetadataProps.Clear();
        return proto.ToByteArray();
    }
}
