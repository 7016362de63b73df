using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.OrtTraining;

/// <summary>Graphs for ONNX Runtime Training hold only what its release 1.19.2 is known to load.</summary>
internal sealed class OperatorsTests
{
    // An operator and its attributes a line. OrtTrainingRuntimeTests and tests/conformance load all of them; a new line needs a case there.
    private static readonly string[] Known =
        File.ReadAllLines(Path.Combine(Fixtures.Repository, "tests", "graphgen", "Artifacts", "OrtTraining", "operators-1.19.2.txt"));

    private static IEnumerable<TestCaseData> Cases() =>
        Exports.All.Where(export => !export.Contains("/extra/", StringComparison.Ordinal)).Select(export => new TestCaseData(export, "lorta"))
            .Concat(new[] { "lora", "dora", "vera", "ia3" }.Select(method => new TestCaseData("llama-mini/ts-sdpa", method)));

    [TestCaseSource(nameof(Cases))]
    public void Operators_attributes_and_opsets_are_those_of_the_release(string export, string method)
    {
        var options = new TrainingOptions { Adapter = new() { Method = method, Rank = 4 }, Task = Exports.TaskOf(export) };

        var written = OrtTrainingGraphs.Of(TrainingGraphs.Build(OnnxModel.Load(Exports.Path(export)), options), OrtTrainingForm.Foreign);

        OnnxModel[] models = [written.Train, written.Eval, written.Optimizer];
        var unknown = models.SelectMany(model => model.Graph.Nodes).Select(Line).Except(Known).Order(StringComparer.Ordinal).ToList();
        Assert.That(unknown, Is.Empty, string.Join('\n', unknown));
        Assert.That(models.Select(model => (model.IrVersion, model.Opsets[string.Empty], model.Opsets[OrtOps.Domain])), Is.All.EqualTo((10L, 21L, 1L)));
    }

    private static string Line(Node node) => string.Join(' ', [node.Op, .. node.Attributes.Keys.Order(StringComparer.Ordinal)]);
}
