using System.Globalization;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.GraphGen.Tests.Adapters.Stored.LortaAdapter;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

internal sealed class AdapterTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Configuration_comes_back_as_it_was()
    {
        var config = Config() with { Task = "causal-lm", Labels = ["a", "b"], Trainables = ["classifier.bias"] };
        (With("param.classifier.bias", OnnxTensor.Vector<float>([1])) with { Path = _folder["a"], Config = config }).Save();

        var loaded = Adapter.Load(_folder["a"]).Config;

        Assert.That((loaded with { Sha256 = null }).ToJson(), Is.EqualTo(config.ToJson()));
    }

    [Test]
    public void Equal_adapters_are_equal_bytes()
    {
        foreach (var name in new[] { "a", "b" }) new Adapter(_folder[name], Config(), Given.Factors).Save();

        foreach (var file in new[] { Adapter.ConfigFile, Adapter.TensorFile })
            Assert.That(File.ReadAllBytes(_folder["b", file]), Is.EqualTo(File.ReadAllBytes(_folder["a", file])));
    }

    [Test]
    public void An_adapter_that_is_replaced_all_the_time_is_read_whole()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("Only Linux swaps folders in one step.");
        Adapter(0).Save();
        var writing = Task.Run(() =>
        {
            for (var i = 1; i < 60; i++) Adapter(i).Save();
        });

        while (!writing.IsCompleted)
        {
            var read = GraphGen.Adapter.Load(_folder["a"]);
            Assert.That(read.Tensors["A"].ToFloats(), Is.EqualTo(Adapter(int.Parse(read.Config.Task!, CultureInfo.InvariantCulture)).Tensors["A"].ToFloats()));
        }
        writing.GetAwaiter().GetResult();
        Assert.That(_folder.Entries, Has.Count.EqualTo(4));

        Adapter Adapter(int number) => new(_folder["a"], Config() with { Task = $"{number}" }, Given.Factors.ToDictionary(
            factor => factor.Key,
            factor => OnnxTensor.Of<float>([.. factor.Value.Dims], [.. factor.Value.ToFloats().Select(value => value + number)]),
            StringComparer.Ordinal));
    }

    [Test]
    public void Saving_again_replaces_the_folder_whole()
    {
        new Adapter(_folder["a"], Config() with { Task = "regression" }, Given.Factors).Save();

        new Adapter(_folder["a"], Config(), Given.Factors).Save();

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "a", "a/README.md", "a/adapter_config.json", "a/adapter_model.safetensors" }));
        Assert.That(Adapter.Load(_folder["a"]).Config.Task, Is.Null);
    }

    [Test]
    public void Folder_with_files_of_others_is_not_replaced()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        File.WriteAllText(_folder["a", "notes.txt"], "mine");

        var failure = Assert.Throws<LortaException>(() => new Adapter(_folder["a"], Config(), Given.Factors).Save())!;

        Assert.That((failure.Code, File.ReadAllText(_folder["a", "notes.txt"])), Is.EqualTo(("LRT107", "mine")));
    }

    [Test]
    public void A_model_that_belongs_to_the_folder_and_cannot_be_written_leaves_no_folder()
    {
        var model = new OnnxModel(new Graph("m"));
        _folder.Write("taken", "mine");

        Assert.That(() => new Adapter(_folder["a"], Config(), Given.Factors).SaveWith(model, _folder["taken", "m.onnx"]),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT104"));

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "taken" }));
    }
}
