using System.Text.Json;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

/// <summary>DoRA with adapters that PEFT saved, against PEFT's logits, loss and gradients.</summary>
internal sealed partial class PeftDoraTests
{
    [TestCase("llama-mini", "ts-sdpa", "causal-lm")]
    [TestCase("llama-mini", "genai-qkv", "causal-lm")]
    [TestCase("roberta-mini", "seqcls.ts-eager", "classification")]
    [TestCase("roberta-mini", "seqcls.ort-fused", "classification")]
    public void Logits_loss_and_gradients_are_those_of_PEFT(string model, string export, string task)
    {
        var (given, expected) = (Load(model, "adapter_model.safetensors"), Load(model, "expected.safetensors"));
        using var facts = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("peft", model, "lora-dora", "expected.json")));
        var batch = StoredBatch.Load(Fixtures.Path(facts.RootElement.GetProperty("batch").GetString()!.Split('/')));
        var adapter = new AdapterOptions { Method = "dora", Rank = 4, Alpha = 16, Targets = ["q", "v"] };
        var graphs = TrainingGraphs.Build(
            OnnxModel.Load(Fixtures.Path("models", model, $"{export}.onnx")), new TrainingOptions { Adapter = adapter, Task = task, Values = Factors(given) });
        using var runtime = new OrtSessionRuntime(graphs, new OrtEngineOptions { Threads = 1 });

        var (logits, loss) = (runtime.Forward(batch)["logits"].ToFloats(), runtime.Accumulate(batch, weight: 1));

        Assert.That(loss, Is.EqualTo(facts.RootElement.GetProperty("loss").GetDouble()).Within(1e-3).Percent);
        Assert.That(Distance(expected["logits"].ToFloats(), logits), Is.LessThanOrEqualTo(1e-5));
        var gradients = runtime.Gradients.ToDictionary(pair => pair.Key, pair => pair.Value.ToFloats());
        var wanted = Factors(expected.Where(pair => pair.Key.StartsWith("grad.", StringComparison.Ordinal)));
        Assert.That(wanted, Has.Count.EqualTo(gradients.Count));
        foreach (var (name, gradient) in wanted) Assert.That(Distance(gradient.ToFloats(), gradients[name]), Is.LessThanOrEqualTo(1e-4), name);
    }

    [GeneratedRegex(@"layers?\.(?<layer>\d+)\..*\.(?<matrix>[qv])[a-z_]*\.lora_(?<factor>A|B|m)")]
    private static partial Regex Key();

    private static IReadOnlyDictionary<string, OnnxTensor> Load(string model, string file) => Safetensors.Load(Fixtures.Path("peft", model, "lora-dora", file)).Tensors;

    // PEFT's names; its A is [r, in].
    private static Dictionary<string, OnnxTensor> Factors(IEnumerable<KeyValuePair<string, OnnxTensor>> tensors) => tensors
        .Select(pair => (Key: Key().Match(pair.Key).Groups, pair.Value))
        .ToDictionary(
            item => $"layers.{item.Key["layer"]}.{item.Key["matrix"]}.{item.Key["factor"]}",
            item => item.Key["factor"].Value == "A" ? Transposed(item.Value) : item.Value);

    private static OnnxTensor Transposed(OnnxTensor tensor) =>
        OnnxTensor.Of<float>([tensor.Dims[1], tensor.Dims[0]], TensorAxes.Transposed(tensor.ToFloats(), (int)tensor.Dims[0], (int)tensor.Dims[1]));

    private static double Distance(float[] expected, float[] found) =>
        expected.Zip(found).Max(pair => Math.Abs((double)pair.First - pair.Second)) / expected.Max(Math.Abs);
}
