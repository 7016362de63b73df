using System.Text.Json.Nodes;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.GraphGen.Tests.Adapters.Stored.LortaAdapter;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

/// <summary>What is refused when an adapter is read, and what is not.</summary>
internal sealed class AdapterLoadTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Missing_folder_is_named()
    {
        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["none"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT101"));
        Assert.That(failure.Message, Does.Contain(_folder["none"]));
    }

    [TestCase("{")]
    [TestCase("{}")]
    [TestCase("null")]
    [TestCase("""{"format": "other", "formatVersion": 1}""")]
    public void Configuration_of_something_else_is_refused(string json)
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        File.WriteAllText(_folder["a", Adapter.ConfigFile], json);

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT313"));
    }

    [Test]
    public void File_of_tensors_that_is_not_the_one_that_was_written_is_refused()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        new Adapter(_folder["b"], Config(), Given.Factors.ToDictionary(pair => pair.Key, pair => OnnxTensor.Of<float>([.. pair.Value.Dims], new float[pair.Value.Count]))).Save();
        File.Copy(_folder["b", Adapter.TensorFile], _folder["a", Adapter.TensorFile], overwrite: true);

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That((failure.Code, failure.Message.Contains("sha256", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }

    [Test]
    public void Configuration_without_a_hash_is_that_of_an_older_adapter()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        File.WriteAllText(_folder["a", Adapter.ConfigFile], Config().ToJson());

        Assert.That(() => Adapter.Load(_folder["a"]), Throws.Nothing);
    }

    [TestCase("targets", "[\"q\", null]", "'targets'")]
    [TestCase("headMap", "{\"q\": null}", "'headMap.q'")]
    [TestCase("options", "{\"zero\": null}", "'options.zero'")]
    [TestCase("trainables", "[null]", "'trainables'")]
    [TestCase("labels", "[null]", "'labels'")]
    [TestCase("base", "{\"name\": \"x\", \"architecture\": {\"hidden\": 0, \"heads\": -4, \"kvHeads\": 1, \"headWidth\": 1, \"layers\": 1}, \"sketch\": {\"values\": {}}}", "not positive")]
    [TestCase("base", "{\"name\": \"x\", \"architecture\": {\"hidden\": 1, \"heads\": 1, \"kvHeads\": 1, \"headWidth\": 1, \"layers\": 1}, \"sketch\": {\"values\": {\"layers.0.q\": null}}}", "base.sketch.values.layers.0.q")]
    [TestCase("base", "{\"name\": \"x\", \"architecture\": {\"hidden\": 1, \"heads\": 1, \"kvHeads\": 1, \"headWidth\": 1, \"layers\": 1}, \"sketch\": {\"values\": {}, \"steps\": {\"a\": []}}}", "base.sketch.steps.a")]
    public void Holes_in_the_configuration_are_named(string key, string value, string says)
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        var json = JsonNode.Parse(File.ReadAllText(_folder["a", Adapter.ConfigFile]))!.AsObject();
        json[key] = JsonNode.Parse(value);
        _folder.Write("a/adapter_config.json", json.ToJsonString());

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT313"));
        Assert.That(failure.Message, Does.Contain(says));
    }

    [Test]
    public void Key_that_is_given_twice_is_refused()
    {
        new Adapter(_folder["a"], Config(), Given.Factors).Save();
        _folder.Write("a/adapter_config.json", File.ReadAllText(_folder["a", Adapter.ConfigFile]).Replace("\"rank\":", "\"rank\": 1, \"rank\":", StringComparison.Ordinal));

        Assert.That(Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!.Code, Is.EqualTo("LRT313"));
    }

    [Test]
    public void Later_format_is_refused_with_its_version()
    {
        new Adapter(_folder["a"], Config() with { FormatVersion = 2 }, Given.Factors).Save();

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That(failure.Message, Does.Contain("lorta-onnx 2"));
    }

    [Test]
    public void Trained_parameter_that_the_file_lacks_is_named()
    {
        new Adapter(_folder["a"], Config() with { Trainables = ["classifier.bias"] }, Given.Factors).Save();

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That((failure.Code, failure.Message.Contains("'param.classifier.bias'", StringComparison.Ordinal)), Is.EqualTo(("LRT309", true)));
    }

    [Test]
    public void Trained_parameter_that_the_configuration_leaves_out_is_named()
    {
        (With("param.classifier.bias", OnnxTensor.Vector<float>([1])) with { Path = _folder["a"] }).Save();

        var failure = Assert.Throws<LortaException>(() => Adapter.Load(_folder["a"]))!;

        Assert.That((failure.Code, failure.Message.Contains("'classifier.bias'", StringComparison.Ordinal)), Is.EqualTo(("LRT313", true)));
    }
}
