using Google.Protobuf;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;
using LoRTA.Onnx.GraphGen.Tests.Ir.Inference;
using LoRTA.Onnx.Tests.Shared;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

/// <summary>Loading and saving: nothing is lost, nothing is read that need not be, and what is damaged is refused with a sentence.</summary>
public sealed class ModelFileTests
{
    private string _folder = string.Empty;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("lorta-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(typeof(ShapeInferenceFixtureTests), nameof(ShapeInferenceFixtureTests.Exports))]
    public void Saving_loses_nothing(string export)
    {
        var path = Fixtures.Path("models", export);
        var (saved, again) = (Path.Combine(_folder, "saved.onnx"), Path.Combine(_folder, "again", "saved.onnx"));

        var model = OnnxModel.Load(path);
        model.Save(saved);
        OnnxModel.Load(saved).Save(again);

        var (before, after) = (Normal(path), Normal(saved));
        Assert.That(after.Graph.Node, Is.EqualTo(before.Graph.Node));
        Assert.That(after, Is.EqualTo(before));
        Assert.That(File.ReadAllBytes(again).AsSpan().SequenceEqual(File.ReadAllBytes(saved)), "saving what was saved changes bytes");
        var reread = OnnxModel.Load(saved);
        foreach (var value in model.Graph.Initializers)
            Assert.That(reread.Graph.Find(value.Name)!.Constant!.Bytes.SequenceEqual(value.Constant!.Bytes), value.Name);
    }

    [TestCase("roberta-mini/seqcls.ts-eager.onnx")]
    [TestCase("llama-mini/dynamo18.onnx")]
    [TestCase("llama-mini/external/ts-sdpa.onnx")]
    [TestCase("llama-mini/genai-int4.onnx")]
    [TestCase("minilm/ts-sdpa.onnx")]
    public void A_saved_model_computes_the_same(string export)
    {
        var path = Fixtures.Path("models", export);
        var saved = Path.Combine(_folder, "saved.onnx");

        OnnxModel.Load(path).Save(saved);

        var symbols = new SymbolTable(past: 0, headSize: 32);
        Assert.That(ExposedGraph.Outputs(OnnxModel.Load(path), saved, symbols), Is.EqualTo(ExposedGraph.Outputs(OnnxModel.Load(path), path, symbols)));
    }

    [Test]
    public void Every_way_of_storing_survives()
    {
        var path = Path.Combine(_folder, "hand.onnx");
        File.WriteAllBytes(path, HandMade.Model().ToByteArray());
        var saved = Path.Combine(_folder, "saved.onnx");

        var model = OnnxModel.Load(path);
        model.Save(saved);

        Assert.That(Normal(saved), Is.EqualTo(Normal(path)));
        Assert.That(model.Graph.Find("doubles")!.Constant!.ToFloats(), Is.EqualTo(new[] { 1.5f, -2 }));
        Assert.That(model.Graph.Find("halves")!.Constant!.ToFloats(), Is.EqualTo(new[] { 1f, -2 }));
        Assert.That(model.Graph.Find("bytes")!.Constant!.ToLongs(), Is.EqualTo(new[] { 200L, 3 }));
        Assert.That(model.Graph.Nodes.Single(node => node.Op == "If").Captures.Select(value => value.Name), Is.EquivalentTo(new[] { "x", "floats" }));
        Assert.That(RunHandMade(saved), Is.EqualTo(RunHandMade(path)));
    }

    [Test]
    public void Loading_costs_no_heap_for_weights()
    {
        foreach (var export in new[] { "minilm/ts-sdpa.onnx", "smollm2/model.onnx" })
        {
            var path = Fixtures.Path("models", export);
            var before = GC.GetTotalAllocatedBytes(precise: true);

            var model = OnnxModel.Load(path);

            Assert.That(GC.GetTotalAllocatedBytes(precise: true) - before, Is.LessThan(12 << 20), export);
            Assert.That(model.Graph.Initializers.Sum(value => value.Constant!.ByteCount), Is.GreaterThan(40 << 20), export);
        }
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_left_as_it_was()
    {
        var model = OnnxModel.Load(Fixtures.Path("models", "llama-mini", "external", "ts-sdpa.onnx"));
        Directory.CreateDirectory(Path.Combine(_folder, "taken.onnx"));   // a folder where the model should go: its data file must not stay
        File.WriteAllText(Path.Combine(_folder, "file"), "no folder");

        foreach (var target in new[] { Path.Combine(_folder, "taken.onnx"), Path.Combine(_folder, "file", "model.onnx") })
            Assert.That(() => model.Save(target), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT104"));

        Assert.That(Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName), Is.EquivalentTo(new[] { "taken.onnx", "file" }));
    }

    [Test]
    public void A_model_may_be_saved_over_itself()
    {
        foreach (var name in new[] { "ts-sdpa.onnx", "ts-sdpa.onnx.data" }) File.Copy(Fixtures.Path("models", "llama-mini", "external", name), Path.Combine(_folder, name));
        var path = Path.Combine(_folder, "ts-sdpa.onnx");
        var model = OnnxModel.Load(path);

        model.Save(path);
        model.Save(path);

        var symbols = new SymbolTable(past: 0, headSize: 32);
        Assert.That(ExposedGraph.Outputs(model, path, symbols), Is.EqualTo(ExposedGraph.Outputs(model, Fixtures.Path("models", "llama-mini", "external", "ts-sdpa.onnx"), symbols)));
    }

    [TestCase("../secret")]
    [TestCase("/etc/passwd")]
    [TestCase("a/../../secret")]
    [TestCase("")]
    [TestCase(".")]
    public void External_data_outside_the_folder_is_refused(string location)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "inner")).FullName, "model.onnx");
        File.WriteAllBytes(Path.Combine(_folder, "secret"), new byte[64]);
        File.WriteAllBytes(path, HandMade.WithExternal(location).ToByteArray());

        Assert.That(() => OnnxModel.Load(path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT115"));
    }

    [TestCase("offset", "-8")]
    [TestCase("offset", "9223372036854775800")]
    [TestCase("offset", "many")]
    [TestCase("length", "4")]
    public void External_data_of_the_wrong_size_is_refused(string key, string value)
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(Path.Combine(_folder, "data"), new byte[64]);
        var proto = HandMade.WithExternal("data");
        proto.Graph.Initializer[^1].ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        File.WriteAllBytes(path, proto.ToByteArray());

        Assert.That(() => OnnxModel.Load(path), Throws.TypeOf<LortaException>());
    }

    [Test]
    public void Damaged_files_are_refused_with_a_sentence()
    {
        var whole = File.ReadAllBytes(Fixtures.Path("models", "roberta-mini", "extra", "bert-tiny.ort-fused.onnx"));
        var path = Path.Combine(_folder, "damaged.onnx");
        var random = new Random(17);
        for (var trial = 0; trial < 400; trial++)
        {
            var bytes = trial % 2 == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            for (var flips = random.Next(8); flips > 0 && bytes.Length > 0; flips--) bytes[trial % 3 == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 6000))] = (byte)random.Next(256);
            File.WriteAllBytes(path, bytes);
            Assert.That(Loads, Throws.Nothing, $"trial {trial}");
        }

        void Loads()
        {
            try
            {
                LoRTA.Onnx.GraphGen.Ir.Inference.ShapeInference.Infer(OnnxModel.Load(path).Graph);
            }
            catch (LortaException)
            {
                // the sentence
            }
        }
    }

    [Test]
    public void Random_bytes_are_no_model()
    {
        var path = Path.Combine(_folder, "random.onnx");
        var random = new Random(3);
        foreach (var length in new[] { 0, 1, 10, 1000, 100_000 })
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            File.WriteAllBytes(path, bytes);
            Assert.That(() => OnnxModel.Load(path), Throws.TypeOf<LortaException>(), $"{length} bytes");
        }
    }

    [Test]
    public void A_cycle_is_refused()
    {
        var proto = HandMade.Model();
        proto.Graph.Node.Add(new NodeProto { OpType = "Add", Name = "first", Input = { "x", "b" }, Output = { "a" } });
        proto.Graph.Node.Add(new NodeProto { OpType = "Neg", Name = "second", Input = { "a" }, Output = { "b" } });
        var path = Path.Combine(_folder, "cycle.onnx");
        File.WriteAllBytes(path, proto.ToByteArray());

        Assert.That(() => OnnxModel.Load(path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT120"));
    }

    private static float[] RunHandMade(string path)
    {
        using var session = new InferenceSession(path);
        using var run = new RunOptions();
        using var x = OrtValue.CreateTensorValueFromMemory(new[] { 1f, 2 }, [2]);
        using var results = session.Run(run, ["x"], [x], ["y"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    // The message without what may be stored in several ways: order of maps, raw or typed numbers, place of external data.
    private static ModelProto Normal(string path)
    {
        var proto = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        var graph = proto.Graph;
        Sort(proto.MetadataProps, entry => entry.Key);
        Sort(proto.OpsetImport, opset => opset.Domain);
        foreach (var opset in proto.OpsetImport) opset.Domain = opset.Domain;
        Sort(graph.ValueInfo, info => info.Name);
        Sort(graph.Initializer, tensor => tensor.Name);
        foreach (var tensor in graph.Initializer) Strip(tensor);
        foreach (var node in graph.Node)
        {
            Sort(node.MetadataProps, entry => entry.Key);
            Sort(node.Attribute, attribute => attribute.Name);
            if (node.HasDomain && node.Domain.Length == 0) node.ClearDomain();
            node.Name = node.Name;
            foreach (var attribute in node.Attribute.Where(attribute => attribute.T is not null))
            {
                attribute.ClearDocString();
                attribute.T = TensorOf(attribute.T);
            }
        }
        return proto;
    }

    private static TensorProto TensorOf(TensorProto proto)
    {
        if (proto.DataType == (int)ElementType.String) return proto;
        var bytes = new TensorReader(string.Empty, null, []).Read(proto, -1).Bytes;
        return new TensorProto { DataType = proto.DataType, Dims = { proto.Dims }, RawData = ByteString.CopyFrom(bytes) };
    }

    private static void Strip(TensorProto tensor)
    {
        tensor.ClearRawData();
        tensor.ClearDataLocation();
        tensor.ExternalData.Clear();
        tensor.FloatData.Clear();
        tensor.DoubleData.Clear();
        tensor.Int32Data.Clear();
        tensor.Int64Data.Clear();
        tensor.Uint64Data.Clear();
    }

    private static void Sort<T>(Google.Protobuf.Collections.RepeatedField<T> field, Func<T, string> key)
    {
        var sorted = field.OrderBy(key, StringComparer.Ordinal).ToArray();
        field.Clear();
        field.AddRange(sorted);
    }
}
