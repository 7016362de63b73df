using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Validity;

internal sealed class ModelCheckerTests
{
    // Each breaks the model y = x·w and names what is then found.
    private static readonly (string Finding, Action<ModelProto> Break)[] Faults =
    [
        ("the file states no IR version", model => model.ClearIrVersion()),
        ("opset 18 needs IR version 8, the file has 7", model => model.IrVersion = 7),
        ("a function needs IR version 8, the file has 7", model => WithFunction(model, ir: 7)),
        ("operators '' are imported twice", model => model.OpsetImport.Add(new OperatorSetIdProto { Domain = string.Empty, Version = 18 })),
        ("metadata 'key' is given twice", model => model.MetadataProps.AddRange([new() { Key = "key" }, new() { Key = "key" }])),
        ("the graph has no name", model => model.Graph.ClearName()),
        ("'x' has no type", model => model.Graph.Input[0].Type = null),
        ("output 'z' is not defined", model => model.Graph.Output[0].Name = "z"),
        ("node 'n' has no operator", model => Node(model).ClearOpType()),
        ("node 'n': operators 'own' are not imported", model => Node(model).Domain = "own"),
        ("node 'n' reads 'z', which is not defined before it", model => Node(model).Input[0] = "z"),
        ("'x' is defined twice", model => model.Graph.Node.Add(new NodeProto { OpType = "Identity", Name = "m", Input = { "w" }, Output = { "x" } })),
        ("'w' is defined twice", model => model.Graph.Initializer.Add(model.Graph.Initializer[0])),
        ("two nodes are named 'n'", model => model.Graph.Node.Add(new NodeProto { OpType = "Identity", Name = "n", Input = { "w" }, Output = { "z" } })),
        ("initializer 'u' is read by nobody", model => model.Graph.Initializer.Add(Of("u"))),
        ("'z' is declared and not defined", model => model.Graph.ValueInfo.Add(new ValueInfoProto { Name = "z" })),
        ("initializer 'w' is declared as something else", model => model.Graph.ValueInfo.Add(Declared("w", 16, 15))),
        ("node 'n' has the attribute 'a' twice", model => Node(model).Attribute.AddRange([new() { Name = "a", Type = 2, I = 1 }, new() { Name = "a", Type = 2, I = 1 }])),
        ("node 'n': attribute 'a' states type 2 and holds [1]", model => Node(model).Attribute.Add(new AttributeProto { Name = "a", Type = 2, F = 1 })),
        ("node 'n': attribute 'a' has no data", model => Node(model).Attribute.Add(new AttributeProto { Name = "a", Type = 4, T = new() { DataType = 1, Dims = { 1 } } })),
        ("node 'n': node of 'v' reads 'z', which is not defined before it", model => Node(model).Attribute.Add(Branch(new NodeProto { OpType = "Add", Input = { "x", "z" }, Output = { "v" } }))),
        ("node 'n': 'x' is defined twice", model => Node(model).Attribute.Add(Branch(new NodeProto { OpType = "Identity", Input = { "w" }, Output = { "x" } }))),
        ("initializer 'w' has the type 0", model => Weight(model).ClearDataType()),
        ("initializer 'w' has no data", model => Weight(model).ClearRawData()),
        ("initializer 'w' has 1020 entries of raw data, expected 1024 of raw", model => Weight(model).RawData = ByteString.CopyFrom(new byte[1020])),
        ("initializer 'w' has its data in several fields", model => Weight(model).FloatData.Add(1)),
        ("initializer 'w' has 256 entries of double data, expected 256 of float", model => Typed(Weight(model)).DoubleData.AddRange(new double[256])),
        ("initializer 'w' has its data in '../w.data'", model => Move(model, "../w.data")),
        ("initializer 'w' has its data in '/w.data'", model => Move(model, "/w.data")),
        ("initializer 'w': 'none.data' does not exist", model => Move(model, "none.data")),
        ("initializer 'w' ends behind 'some.data'", model => Move(model, "some.data", offset: 977)),
        ("initializer 'w' has 1000 bytes in 'some.data', expected 1024", model => Move(model, "some.data", length: 1000)),
    ];

    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder()
    {
        _folder = new();
        SmallModel.Saved(_folder["model.onnx"], isExternal: false);
        File.WriteAllBytes(_folder["some.data"], new byte[2000]);
    }

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    private static IEnumerable<string> Found => Faults.Select(fault => fault.Finding);

    [Test]
    public void Valid_model_has_no_fault() => Assert.That(Findings(_ => { }), Is.Empty);

    [TestCaseSource(nameof(Found))]
    public void Fault_is_found(string finding) => Assert.That(Findings(Faults.Single(fault => fault.Finding == finding).Break), Does.Contain(finding));

    [TestCase(1024, ExpectedResult = 0)]
    [TestCase(1000, ExpectedResult = 1)]
    public int Tensors_outside_share_all_their_bytes_or_none(long offset) => Findings(model =>
    {
        Move(model, "some.data");
        var other = new TensorProto(Weight(model)) { Name = "other" };
        File.WriteAllBytes(_folder["some.data"], new byte[3000]);
        other.ExternalData.Single(entry => entry.Key == "offset").Value = $"{offset}";
        model.Graph.Initializer.Add(other);
        model.Graph.Node.Add(new NodeProto { OpType = "Add", Name = "m", Input = { "w", "other" }, Output = { "z" } });
    }).Count;

    private IReadOnlyList<string> Findings(Action<ModelProto> edit)
    {
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder["model.onnx"]));
        Node(model).Name = "n";
        edit(model);
        return ModelChecker.Findings(model, _folder["model.onnx"]);
    }

    private static NodeProto Node(ModelProto model) => model.Graph.Node[0];

    private static TensorProto Weight(ModelProto model) => model.Graph.Initializer[0];

    private static TensorProto Of(string name) => new() { Name = name, DataType = 1, FloatData = { 1 } };

    private static TensorProto Typed(TensorProto tensor)
    {
        tensor.ClearRawData();
        return tensor;
    }

    private static void WithFunction(ModelProto model, long ir)
    {
        model.Functions.Add(new FunctionProto { Name = "f" });
        model.IrVersion = ir;
    }

    private static ValueInfoProto Declared(string name, params long[] dims) =>
        new() { Name = name, Type = new() { TensorType = new() { ElemType = 1, Shape = new() { Dim = { dims.Select(dim => new TensorShapeProto.Types.Dimension { DimValue = dim }) } } } } };

    private static AttributeProto Branch(NodeProto node) => new() { Name = "body", Type = 5, G = new() { Name = "inner", Node = { node } } };

    private static void Move(ModelProto model, string location, long offset = 0, long length = 1024)
    {
        (Typed(Weight(model)).DataLocation, var entries) = (1, new[] { ("location", location), ("offset", $"{offset}"), ("length", $"{length}") });
        Weight(model).ExternalData.AddRange(entries.Select(entry => new StringStringEntryProto { Key = entry.Item1, Value = entry.Item2 }));
    }
}
