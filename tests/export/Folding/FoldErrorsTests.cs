using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Export.Tests.Folding.FoldedModels;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Adapters that do not fit, and files that cannot be written.</summary>
internal sealed class FoldErrorsTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Adapter_of_another_architecture_is_refused()
    {
        var adapter = RandomAdapter.For(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")));

        var failure = Assert.Throws<LortaException>(() => Folded(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), adapter))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    [Test]
    public void Adapter_of_other_weights_is_refused_unless_allowed()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed);
        var weight = deployed.Graph.Find(Sites(deployed)[5].Stored.Weight)!;
        weight.Constant = OnnxTensor.Of<float>([.. weight.Constant!.Dims], weight.Constant.ToFloats().Select(value => -value).ToArray());

        Assert.That(Assert.Throws<LortaException>(() => Folded(deployed, adapter))!.Code, Is.EqualTo("LRT311"));
        Assert.That(() => Folded(deployed, adapter, new ExportOptions { AllowOtherBase = true }), Throws.Nothing);
    }

    [TestCase("lorta", "C_H")]
    [TestCase("lora", "layers.3.p.B")]
    public void Missing_tensor_is_named(string method, string name)
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed, method);

        var failure = Assert.Throws<LortaException>(() => Folded(deployed, adapter with { Tensors = adapter.Tensors.Where(pair => pair.Key != name).ToDictionary() }))!;

        Assert.That(failure.Code, Is.EqualTo("LRT309"));
        Assert.That(failure.Message, Does.Contain($"'{name}'"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    [Test]
    public void Folder_that_cannot_be_is_an_error_and_leaves_nothing()
    {
        _folder.Write("file", "not a folder");
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var failure = Assert.Throws<LortaException>(() => RandomAdapter.Evaluator.Fold(deployed, RandomAdapter.For(deployed)).Save(_folder["file", "folded.onnx"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT104"));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "file" }));
    }

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/external/ts-sdpa")]
    public void Disk_that_fills_up_while_weights_are_written_leaves_the_old_file(string export)
    {
        File.WriteAllText(_folder["folded.onnx"], "old");
        var deployed = OnnxModel.Load(Exports.Path(export));
        var folded = RandomAdapter.Evaluator.Fold(deployed, RandomAdapter.For(deployed)).Model;
        var last = folded.Graph.Find(Sites(folded)[^1].Stored.Weight)!;
        last.Constant = OnnxTensor.Streamed(ElementType.Float, [.. last.Constant!.Dims], () => throw new IOException("No space left on device."));

        var failure = Assert.Throws<LortaException>(() => folded.Save(_folder["folded.onnx"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT104"));
        Assert.That(failure.Message, Does.Contain("No space left on device"));
        Assert.That((string.Join(' ', _folder.Entries), File.ReadAllText(_folder["folded.onnx"])), Is.EqualTo(("folded.onnx", "old")));
    }

    private OnnxModel Folded(OnnxModel deployed, Adapter adapter, ExportOptions? options = null) =>
        FoldedModels.Fold(_folder["folded.onnx"], deployed, adapter, options);
}
