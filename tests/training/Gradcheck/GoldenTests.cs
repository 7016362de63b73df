using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

internal sealed class GoldenTests
{
    private const string Facts = """
        {"loss": 1, "gradNorm": 1, "method": "lora", "rank": 1, "alpha": 1, "targets": ["q"], "lossName": "classification", "after": [1, 5],
         "optimizer": {"lr": 0.1, "betas": [0.9, 0.99], "eps": 1e-8, "weight_decay": 0}}
        """;

    private TestFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TestFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    private static IEnumerable<string> Models => Goldens.All.Select(golden => Exports.Split(golden).Folder).Distinct();

    [TestCaseSource(nameof(Models))]
    public void Its_family_trains_as_many_numbers_as_it_states(string model)
    {
        var exports = Goldens.WithExports.Where(pair => Exports.Split(pair.Golden).Folder == model).ToLookup(pair => pair.Golden, pair => pair.Export);
        var models = new Dictionary<string, UnderstoodModel>(StringComparer.Ordinal);

        foreach (var golden in Goldens.All.Where(golden => Exports.Split(golden).Folder == model))
        {
            var export = exports[golden].FirstOrDefault() ?? exports.First().First();
            if (!models.TryGetValue(export, out var understood)) models[export] = understood = UnderstoodModel.Of(OnnxModel.Load(Exports.Path(export)));
            var plan = AdapterPlan.Of(understood, Golden.Load(Goldens.Path(golden)).ToOptions(understood, LortaCatalog.Default).Adapter);

            Assert.That(plan.Trainable, Is.EqualTo(Goldens.Trainable(golden)), golden);
        }
    }

    [Test]
    public void Its_facts_are_read() => Assert.That(Load(Facts).After, Is.EqualTo([1L, 5L]));

    [TestCase("[1, 5]", "[2147483648, 5]", "'after' names step 2147483648, which is not from 1 to 1000.")]
    [TestCase("[1, 5]", "[1, 0]", "'after' names step 0, which is not from 1 to 1000.")]
    [TestCase("[0.9, 0.99]", "[0.9]", "'optimizer.betas' should be two numbers.")]
    [TestCase("[\"q\"]", "[null]", "'targets' names a matrix without a letter.")]
    [TestCase("\"rank\": 1", "\"orientation\": {\"q\": 7}", "is not a golden (")]
    [TestCase("\"rank\": 1", "\"rank\": 1.5", "is not a golden (")]
    [TestCase("\"loss\": 1", "\"options\": {\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "is not a golden (")]
    public void What_no_golden_can_say_is_refused(string text, string instead, string expected) =>
        Assert.That(() => Load(Facts.Replace(text, instead, StringComparison.Ordinal)), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT105")
            .And.Message.StartsWith($"{_folder["golden.json"]}: {expected}"));

    [TestCase("grad.a", "LRT309", "tensor 'grad.a' is missing.")]
    [TestCase("grad.a", "LRT308", "'grad.a' should be 1 to 4 floats but is float[5].", 5)]
    [TestCase("after5.a", "LRT308", "'after5.a' should be 1 to 4 floats but is float[5].", 5)]
    [TestCase("delta.layers.0.q", "LRT308", "'delta.layers.0.q' should be 1 to 6 floats but is float[7].", 7)]
    [TestCase("delta.layers.0.q", "LRT308", "'delta.layers.0.q' should be 1 to 6 floats but is float[0].", 0)]
    public void Tensors_that_cannot_be_compared_are_refused(string name, string code, string expected, int? length = null)
    {
        var golden = Load(Facts, tensors =>
        {
            tensors.Remove(name);
            if (length is { } count) tensors[name] = OnnxTensor.Vector<float>(new float[count]);
        });
        var trained = new TrainedTensor(new("factor", "a"), OnnxTensor.Of<float>([2, 2], new float[4]), ParameterGroup.Default);
        var site = new AdapterSite(0, "q") { In = 2, Out = 3, Heads = 1 };

        Assert.That(() => golden.Check([trained], [site]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo(code)
            .And.Message.EqualTo($"{_folder["golden.safetensors"]}: {expected}"));
    }

    private Golden Load(string facts, Action<Dictionary<string, OnnxTensor>>? change = null)
    {
        var tensors = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal) { ["grad.a"] = OnnxTensor.Of<float>([2, 2], new float[4]) };
        change?.Invoke(tensors);
        _folder.Write("golden.json", facts);
        Safetensors.Save(_folder["golden.safetensors"], tensors);
        return Golden.Load(_folder["golden.safetensors"]);
    }
}
