using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

/// <summary>Every family with factors of its own, on a plain, a fused and a quantised file.</summary>
[Category("Slow")]
internal sealed class FamiliesTests
{
    private const int Layer = 2;   // layer 1 of roberta-mini looks at its own tokens alone, whatever a prefix holds

    private static readonly (string Export, string Task)[] Files =
        [("llama-mini/ts-sdpa", "causal-lm"), ("roberta-mini/seqcls.ort-fused", "classification"), ("llama-mini/genai-int4", "causal-lm")];

    private static IEnumerable<TestCaseData> Cases =>
        from family in AdapterFamilies.All
        where !family.Create(new AdapterOptions { Method = family.Method }).Targets.AreParameters
        from file in Files
        select new TestCaseData(family.Method, file.Export, file.Task).SetArgDisplayNames(family.Method, file.Export);

    [TestCaseSource(nameof(Cases))]
    public void Gradients_equal_central_differences(string method, string export, string task)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var architecture = Architecture.Of(UnderstoodModel.Of(deployed));
        var adapter = new AdapterOptions { Method = method, Rank = 3, Alpha = 1, Layers = LayerChoice.Of(Layer), Options = OptionsOf(method) };
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, adapter), seed: 0);
        var graphs = TrainingGraphBuilder.Build(deployed, new TrainingOptions { Adapter = adapter, Task = task, Values = values });
        var batch = SampleBatch.For(task, architecture.Vocab!.Value, graphs.Evaluation.Classes!.Value, seed: 0);

        var result = new CentralDifferenceCheck(graphs, new OrtSettings(Threads: 1), 0).Run(batch);

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors));
    }

    // ReLU has kinks, at which differences tell nothing.
    private static Dictionary<string, string> OptionsOf(string method) =>
        method == "loretta_adp" ? new() { ["activation"] = "tanh" } : [];
}
