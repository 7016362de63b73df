using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

/// <summary>Models that are damaged in their structure: each damage has its code.</summary>
internal sealed class DamagedModelTests
{
    private static IEnumerable<TestCaseData> Damages =>
    [
        Damage("LRT118", "reads a value that is not there", model => First(model, "MatMul").Input[0] = "nowhere"),
        Damage("LRT119", "two values of one name", model => First(model, "Add").Output[0] = First(model, "MatMul").Output[0]),
        Damage("LRT119", "two initializers of one name", model => model.Graph.Initializer.Add(model.Graph.Initializer[0].Clone())),
        Damage("LRT119", "two outputs of one name", model => model.Graph.Output.Add(model.Graph.Output[0].Clone())),
        Damage("LRT119", "two versions of one opset", model => model.OpsetImport.Add(new OperatorSetIdProto { Version = 9 })),
        Damage("LRT120", "a cycle", model => First(model, "MatMul").Input[0] = First(model, "Softmax").Output[0]),
        Damage("LRT130", "an element type that is not known", model => model.Graph.Initializer[0].DataType = 99),
        Damage("LRT131", "an attribute of another kind", model => Attribute(model, "axis").Type = (int)AttrKind.String),
        Damage("LRT131", "an attribute without a kind", model => Attribute(model, "axis").Type = 0),
        Damage("LRT132", "an attribute twice", model => First(model, "Softmax").Attribute.Add(Attribute(model, "axis").Clone())),
        Damage("LRT133", "an input that is left out", model => First(model, "MatMul").Input.RemoveAt(1)),
        Damage("LRT133", "an input without a name", model => First(model, "MatMul").Input[1] = string.Empty),
        Damage("LRT133", "a product of integers without its zero point", model => Add(model, "QLinearMatMul", inputs: 7)),
        Damage("LRT133", "a node without outputs", model => model.Graph.Node.Add(new NodeProto { OpType = "Identity", Input = { model.Graph.Input[0].Name } })),
        Damage("LRT111", "a negative dimension", model => model.Graph.Initializer[0].Dims[0] = -1),
        Damage("LRT117", "dimensions without bound", model => model.Graph.Initializer[0].Dims.Add([long.MaxValue, long.MaxValue])),
        Damage("LRT117", "data that are cut", model => Large(model).RawData = ByteString.CopyFrom(Large(model).RawData.ToByteArray()[..^4])),
        Damage("LRT117", "data that are missing", model => Large(model).ClearRawData()),
        Damage("LRT117", "an external offset near 2^63", model => External(model, ("offset", "9223372036854775800"))),
        Damage("LRT111", "an external offset that is no number", model => External(model, ("offset", "1e9"))),
        Damage("LRT111", "an external entry twice", model => External(model, ("location", "data.bin"))),
        Damage("LRT121", "a weight in blocks of no size", model => Add(model, "MatMulNBits", inputs: 3)),
        Damage("LRT121", "a table of codes of no size", model => Add(model, "GatherBlockQuantized", inputs: 3, ("bits", 0))),
        Damage("LRT121", "scales for other codes", model => Dequantized(model, codes: [4, 8], scales: 5)),
        Damage("LRT121", "an axis of an order that is counted from the end", model => First(model, "Transpose").Attribute[0].Ints[^1] = -1),
        Damage("LRT121", "an axis that is put in twice", WithTwoEqualAxes),
        Damage("LRT121", "an axis that is not there", model => First(model, "Transpose").Attribute[0].Ints[0] = long.MaxValue),
    ];

    [TestCaseSource(nameof(Damages))]
    public void Damage_has_its_code(string code, Action<ModelProto> damage)
    {
        using var folder = new TestFolder();
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Architectures.All.Single(item => item.Name == "qwen2").Path));
        damage(model);
        File.WriteAllBytes(folder["model.onnx"], model.ToByteArray());
        File.WriteAllBytes(folder["data.bin"], new byte[1 << 16]);

        var failure = Assert.Throws<LortaException>(() => CanonicalModel.Of(OnnxModel.Load(folder["model.onnx"])))!;

        Assert.That(failure.Code, Is.EqualTo(code), failure.Message);
    }

    [Test]
    public void Nodes_may_come_in_any_order_and_sizes_may_be_unknown()
    {
        using var folder = new TestFolder();
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Architectures.All.Single(item => item.Name == "qwen2").Path));
        var nodes = model.Graph.Node.Reverse().ToList();
        model.Graph.Node.Clear();
        model.Graph.Node.AddRange(nodes);
        foreach (var dim in model.Graph.Input[0].Type.TensorType.Shape.Dim) dim.DimValue = -1;
        File.WriteAllBytes(folder["model.onnx"], model.ToByteArray());

        Assert.That(CanonicalModel.Of(OnnxModel.Load(folder["model.onnx"])).Cores, Is.Not.Empty);
    }

    [Test]
    public void Subgraph_that_reads_a_value_finds_what_is_spliced_in_behind_it()
    {
        var model = ModelReader.Read(HandMade.Model().ToByteArray());
        var (graph, floats) = (model.Graph, model.Graph.Find("branched")!);
        var branch = floats.Producer!;
        var tape = new Tape(graph, onnxOnly: true);
        var x = graph.Inputs[0];
        var doubled = graph.AddValue("doubled", ElementType.Float, x.Shape);
        graph.Add(new Node("Add", string.Empty, [x, x], [doubled]));
        branch.Captures = [.. branch.Captures, doubled];
        doubled.AddUse(new Use(branch, -1));

        graph.Splice(doubled, doubled.Uses.ToHashSet(), (tape[doubled] + tape[x]).Value);

        var captured = branch.Captures[^1];
        Assert.That((captured.Name, captured.Producer!.Inputs[0]), Is.EqualTo(("doubled", doubled)));
        Assert.That(doubled.Name, Is.Not.EqualTo("doubled"));
        Assert.That(doubled.IsCaptured, Is.False);
    }

    private static TestCaseData Damage(string code, string name, Action<ModelProto> damage) => new TestCaseData(code, damage).SetArgDisplayNames(name);

    private static NodeProto First(ModelProto model, string op) => model.Graph.Node.First(node => node.OpType == op);

    private static AttributeProto Attribute(ModelProto model, string name) => First(model, "Softmax").Attribute.Single(attribute => attribute.Name == name);

    // An operator whose inputs are all the model's first one.
    private static void Add(ModelProto model, string op, int inputs, params (string Name, long Value)[] attributes)
    {
        var domain = op.StartsWith("QLinear", StringComparison.Ordinal) ? string.Empty : "com.microsoft";
        var node = new NodeProto { OpType = op, Domain = domain, Output = { op } };
        node.Input.AddRange(Enumerable.Repeat(model.Graph.Input[0].Name, inputs));
        foreach (var (name, value) in attributes) node.Attribute.Add(new AttributeProto { Name = name, Type = (int)AttrKind.Int, I = value });
        model.Graph.Node.Add(node);
    }

    private static void Dequantized(ModelProto model, long[] codes, int scales)
    {
        model.Graph.Initializer.Add(Zeros("codes", ElementType.Int8, codes));
        model.Graph.Initializer.Add(Zeros("scales", ElementType.Float, scales));
        model.Graph.Node.Add(new NodeProto { OpType = "DequantizeLinear", Input = { "codes", "scales" }, Output = { "widened" } });
    }

    private static void WithTwoEqualAxes(ModelProto model)
    {
        model.Graph.Initializer.Add(Zeros("axes", ElementType.Int64, 2));
        model.Graph.Node.Add(new NodeProto { OpType = "Unsqueeze", Input = { model.Graph.Input[0].Name, "axes" }, Output = { "wider" } });
    }

    private static TensorProto Zeros(string name, ElementType type, params long[] dims) => new()
    {
        Name = name,
        DataType = (int)type,
        Dims = { dims },
        RawData = ByteString.CopyFrom(new byte[type.Bytes(dims.Aggregate(1L, (size, dim) => size * dim))]),
    };

    private static TensorProto Large(ModelProto model) => model.Graph.Initializer.First(tensor => tensor.RawData.Length > 1024);

    private static void External(ModelProto model, (string Key, string Value) entry)
    {
        var tensor = Large(model);
        tensor.ClearRawData();
        tensor.DataLocation = 1;
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "data.bin" });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = entry.Key, Value = entry.Value });
    }
}
