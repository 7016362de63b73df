using System.Text;
using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Tests.Ir;

/// <summary>A model that stores things in every way that the format allows: y = 2·(c ? x + floats : x), beside constants of many types.</summary>
internal static class HandMade
{
    public static ModelProto Model() => new()
    {
        IrVersion = 9,
        ProducerName = "hand",
        ProducerVersion = "1.2",
        DocString = "what it is for",
        Domain = "own.domain",
        ModelVersion = 3,
        OpsetImport = { new OperatorSetIdProto { Domain = string.Empty, Version = 17 }, new OperatorSetIdProto { Domain = "own", Version = 1 } },
        MetadataProps = { Entry("zebra", "1"), Entry("apple", "2") },
        Graph = Graph(),
    };

    public static ModelProto WithExternal(string location)
    {
        var model = Model();
        model.Graph.Initializer.Add(new TensorProto { Name = "outside", DataType = 1, Dims = { 4 }, DataLocation = 1, ExternalData = { Entry("location", location) } });
        return model;
    }

    private static GraphProto Graph() => new()
    {
        Name = "main",
        DocString = "a graph",
        Input = { Info("x", 2) },
        Output = { Info("y", 2) },
        ValueInfo = { Info("branched", 2) },
        Initializer =
        {
            new TensorProto { Name = "floats", DataType = 1, Dims = { 2 }, FloatData = { 1, 2 }, DocString = "typed" },
            new TensorProto { Name = "doubles", DataType = 11, Dims = { 2 }, DoubleData = { 1.5, -2 } },
            new TensorProto { Name = "halves", DataType = 10, Dims = { 2 }, Int32Data = { 0x3C00, 0xC000 } },
            new TensorProto { Name = "bytes", DataType = 2, Dims = { 2 }, Int32Data = { 200, 3 } },
            new TensorProto { Name = "longs", DataType = 7, Dims = { }, Int64Data = { long.MinValue } },
            new TensorProto { Name = "empty", DataType = 7, Dims = { 0 } },
            new TensorProto { Name = "condition", DataType = 9, Dims = { }, Int32Data = { 1 } },
            new TensorProto { Name = "words", DataType = 8, Dims = { 2 }, StringData = { ByteString.CopyFromUtf8("grün"), ByteString.CopyFrom(0xFF, 0x00) } },
        },
        Node =
        {
            new NodeProto { OpType = "ReduceMax", Name = "largest", Input = { "x" }, Output = { "largest" }, Attribute = { Int("keepdims", 0) } },
            new NodeProto { OpType = "Cast", Name = "asked", Input = { "largest" }, Output = { "asked" }, Attribute = { Int("to", 9) } },
            new NodeProto { OpType = "And", Name = "both", Input = { "asked", "condition" }, Output = { "both" } },
            new NodeProto
            {
                OpType = "If", Name = "branch", Input = { "both" }, Output = { "branched" }, DocString = "a node", MetadataProps = { Entry("scope", "model/if") },
                Attribute = { Branch("then_branch", "Add", "x", "floats"), Branch("else_branch", "Identity", "x") },
            },
            new NodeProto { OpType = "Add", Name = "twice", Input = { "branched", "branched" }, Output = { "y" } },
            new NodeProto { OpType = "Constant", Name = "texts", Output = { "texts" }, Attribute = { Texts() } },
        },
    };

    private static AttributeProto Int(string name, long value) => new() { Name = name, Type = 2, I = value };

    private static AttributeProto Texts() => new()
    {
        Name = "value_strings",
        Type = (int)AttrKind.Strings,
        Strings = { ByteString.CopyFrom("a", Encoding.UTF8), ByteString.Empty },
    };

    private static AttributeProto Branch(string name, string op, params string[] inputs) => new()
    {
        Name = name,
        Type = 5,
        G = new GraphProto { Name = name, Node = { new NodeProto { OpType = op, Input = { inputs }, Output = { $"{name}_out" } } }, Output = { Info($"{name}_out", 2) } },
    };

    private static ValueInfoProto Info(string name, long size) => new()
    {
        Name = name,
        DocString = $"about {name}",
        Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = 1, Shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimValue = size } } } } },
    };

    private static StringStringEntryProto Entry(string key, string value) => new() { Key = key, Value = value };
}
