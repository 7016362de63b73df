using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Training.Tests.Gradcheck;

/// <summary>A whole encoder that has another operator in its MLP, where <c>Erf</c> was.</summary>
internal sealed class OperatorsOfModelsTests
{
    private const int Hidden = 32;   // width of the MLP

    private static IEnumerable<TestCaseData> Operators()
    {
        foreach (var op in "Mish Selu Celu Softsign ThresholdedRelu Shrink Atan Sinh Cosh Asinh Relu LeakyRelu Elu HardSwish HardSigmoid Hardmax Floor LpNormalization".Split(' ')) yield return Case(op);
        yield return Case("PRelu", constants: [Numbers(Hidden)]);
        yield return Case("Mod", [("fmod", 1L)], OnnxTensor.Scalar(0.7f));
        yield return Case("MeanVarianceNormalization", [("axes", new long[] { -1 })]);
        yield return Case("TopK", constants: [OnnxTensor.Vector((long)Hidden)]);
        yield return Case("Einsum", [("equation", "...i,ij->...j")], OnnxTensor.Of<float>([Hidden, Hidden], Numbers(Hidden * Hidden).ToFloats()));
        yield return Case("CumSum", constants: [OnnxTensor.Scalar(-1L)]);
        yield return Case("ScatterND", constants: [OnnxTensor.Of<long>([1, 2], [0L, 1]), OnnxTensor.Of<float>([1, Hidden], Numbers(Hidden).ToFloats())]);

        static TestCaseData Case(string op, (string, OnnxAttribute)[]? attributes = null, params OnnxTensor[] constants) => new TestCaseData(op, attributes ?? [], constants).SetArgDisplayNames(op);
    }

    [TestCaseSource(nameof(Operators))]
    public void Gradients_are_right(string op, (string, OnnxAttribute)[] attributes, OnnxTensor[] constants)
    {
        var graphs = Prepared(op, attributes, constants);

        var result = new CentralDifferenceCheck(graphs, new OrtEngineOptions { Threads = 1 }, 0).Run(SampleBatch.For("causal-lm", 20, 20, 0));

        Assert.That(result.Verdict, Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors));
    }

    private static TrainingGraphs Prepared(string op, (string Name, OnnxAttribute Value)[] attributes, OnnxTensor[] constants)
    {
        var deployed = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bert").Path);
        var graph = deployed.Graph;
        foreach (var erf in graph.Nodes.Where(node => node.Op == "Erf").ToArray())
        {
            var further = constants.Select((constant, i) => (Value?)graph.AddConstant($"{erf.Name}/{op}/{i}", constant));
            var outputs = Enumerable.Range(0, op == "TopK" ? 2 : 1).Select(i => (Value?)graph.AddValue($"{erf.Name}/{op}/output_{i}"));
            var node = new Node(op, string.Empty, [erf.Input(0), .. further], outputs) { Name = $"{erf.Name}/{op}" };
            foreach (var (name, value) in attributes) node.Attributes[name] = value;
            graph.Add(node, after: erf);
            graph.ReplaceUses(erf.Output, node.Output);
            graph.Remove(erf);
        }
        var architecture = Architecture.Of(UnderstoodModel.Of(deployed));
        var adapter = new AdapterOptions { Method = "lora", Rank = 4, Alpha = 4, Targets = ["q", "v"] };
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, adapter), seed: 0);
        return TrainingGraphs.Build(deployed, new TrainingOptions { Adapter = adapter, Task = "causal-lm", Values = values });
    }

    private static OnnxTensor Numbers(int count) => OnnxTensor.Vector<float>([.. Enumerable.Range(0, count).Select(i => 0.1f + (i * 37 % 11 / 20f))]);
}
