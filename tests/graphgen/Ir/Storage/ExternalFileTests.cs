using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

/// <summary>Models and data files behind symbolic links: followed where they are inputs, refused where a model would choose what is read.</summary>
internal sealed class ExternalFileTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("cache/snapshots/1", "cache/blobs", "../../blobs/")]
    [TestCase("cache/snapshots/1/onnx", "cache/blobs", "../../../blobs/")]
    [TestCase("snap", "blobs", "../blobs/")]
    public void A_download_cache_is_read_through_its_links(string snapshot, string blobs, string up)
    {
        MakeModel("plain");
        Directory.CreateDirectory(_folder[snapshot]);
        Directory.CreateDirectory(_folder[blobs]);
        File.Move(_folder["plain", "model.onnx"], _folder[blobs, "aaa"]);
        File.Move(_folder["plain", "weights"], _folder[blobs, "bbb"]);
        File.CreateSymbolicLink(_folder[snapshot, "model.onnx"], up + "aaa");
        File.CreateSymbolicLink(_folder[snapshot, "weights"], up + "bbb");

        Assert.That(Weight($"{snapshot}/model.onnx"), Is.EqualTo(7));
        Assert.That(Weight(snapshot), Is.EqualTo(7));
    }

    [Test]
    public void A_cache_with_only_the_data_among_its_blobs_is_read_too()
    {
        MakeModel("cache/snapshots/1");
        Directory.CreateDirectory(_folder["cache", "blobs"]);
        Replace("cache/snapshots/1/weights", "../../blobs/bbb");

        Assert.That(Weight("cache/snapshots/1"), Is.EqualTo(7));
    }

    [Test]
    public void Links_to_the_folder_to_the_model_and_inside_the_folder_are_followed()
    {
        MakeModel("real");
        Directory.CreateDirectory(_folder["real", "parts"]);
        Replace("real/weights", "parts/w");
        Directory.CreateSymbolicLink(_folder["folder"], "real");
        Directory.CreateDirectory(_folder["elsewhere"]);
        File.CreateSymbolicLink(_folder["elsewhere", "m.onnx"], "../folder/model.onnx");

        Assert.That(Weight("folder"), Is.EqualTo(7));
        Assert.That(Weight("elsewhere/m.onnx"), Is.EqualTo(7));
    }

    [TestCase("sub/secret", "sub", "..", TestName = "A folder that leads upwards")]
    [TestCase("weights", "weights", "../secret", TestName = "A data file that leads out")]
    [TestCase("weights", "weights", "../blobs/secret", TestName = "A folder called blobs without snapshots")]
    [TestCase("weights", "weights", "hop", TestName = "A data file that leads out by way of a second link")]
    public void Data_that_lie_outside_the_folder_after_links_are_refused(string location, string link, string target)
    {
        MakeModel("model", location, write: false);
        Directory.CreateDirectory(_folder["blobs"]);
        foreach (var secret in new[] { "secret", "blobs/secret" }) File.WriteAllBytes(_folder[secret], new byte[1024]);
        File.CreateSymbolicLink(_folder["model", "hop"], "../secret");
        File.CreateSymbolicLink(_folder["model", link], target);

        Assert.That(() => OnnxModel.Load(_folder["model"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT115"));
    }

    [Test]
    public void A_snapshot_cannot_reach_behind_its_blobs()
    {
        MakeModel("cache/snapshots/1", "weights", write: false);
        Directory.CreateDirectory(_folder["cache", "blobs"]);
        File.WriteAllBytes(_folder["secret"], new byte[1024]);
        File.CreateSymbolicLink(_folder["cache", "blobs", "bbb"], "../../secret");
        File.CreateSymbolicLink(_folder["cache", "snapshots", "1", "weights"], "../../blobs/bbb");

        Assert.That(() => OnnxModel.Load(_folder["cache", "snapshots", "1"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT115"));
    }

    [TestCase("gone")]
    [TestCase("weights")]
    public void A_link_to_nothing_or_to_itself_is_one_sentence(string target)
    {
        MakeModel("model", "weights", write: false);
        File.CreateSymbolicLink(_folder["model", "weights"], target);

        Assert.That(() => OnnxModel.Load(_folder["model"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT122"));
    }

    private float Weight(string path) => OnnxModel.Load(_folder[path]).Graph.Find("w")!.Constant!.ToFloats()[0];

    // Moves a file to where a link in its place leads to.
    private void Replace(string file, string target)
    {
        File.Move(_folder[file], Path.GetFullPath(target, Path.GetDirectoryName(_folder[file])!));
        File.CreateSymbolicLink(_folder[file], target);
    }

    // One product, whose weight of sevens lies in a file of the given name.
    private void MakeModel(string folder, string location = "weights", bool write = true)
    {
        Directory.CreateDirectory(_folder[folder]);
        var graph = new Graph("small");
        var tape = new Tape(graph, onnxOnly: true);
        var weight = OnnxTensor.Of<float>([16, 16], [.. Enumerable.Repeat(7f, 256)]);
        graph.AddOutput(tape[graph.AddInput("x", ElementType.Float, [Dim.Symbol("batch"), 16])].MatMul(tape.Constant(weight, "w")).Value);
        var model = new OnnxModel(graph);
        model.OpsetVersions[string.Empty] = 18;
        File.WriteAllBytes(_folder[folder, "model.onnx"], ModelWriter.ToBytes(model, _ => new ExternalPlace(location, 0)));
        if (write) File.WriteAllBytes(_folder[folder, location], weight.Bytes.ToArray());
    }
}
