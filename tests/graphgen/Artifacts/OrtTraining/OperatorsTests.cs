using System.Globalization;
using System.Text;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.OrtTraining;

/// <summary>Graphs for ONNX Runtime Training hold only what its release 1.19.2 is known to load.</summary>
internal sealed class OperatorsTests
{
    // An operator and its attributes a line, those that choose with their values. OrtTrainingRuntimeTests and tests/conformance load all of them; a new line needs a case there.
    private static readonly string[] Known =
        File.ReadAllLines(Path.Combine(Fixtures.Repository, "tests", "graphgen", "Artifacts", "OrtTraining", "operators-1.19.2.txt"));

    private static IEnumerable<TestCaseData> Cases() =>
        Exports.All.Where(export => !export.Contains("/extra/", StringComparison.Ordinal)).Select(export => new TestCaseData(export, "lorta"))
            .Concat(new[] { "lora", "dora", "vera", "ia3" }.Select(method => new TestCaseData("llama-mini/ts-sdpa", method)));

    [TestCaseSource(nameof(Cases))]
    public void Operators_attributes_and_opsets_are_those_of_the_release(string export, string method) =>
        Check(OnnxModel.Load(Exports.Path(export)), new() { Adapter = new() { Method = method, Rank = 4 }, Task = Exports.TaskOf(export) });

    [TestCase(FewBitsForm.Blocks8)]
    [TestCase(FewBitsForm.Blocks4WithZeros)]
    public void Weights_of_few_bits_are_written_in_operators_of_the_release(FewBitsForm form)
    {
        using var folder = new TestFolder();
        Check(
            FewBits.Saved(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), form, folder["model.onnx"]),
            new() { Adapter = new() { Rank = 4 }, Task = "causal-lm" });
    }

    [Test]
    public void Optimizers_are_written_in_operators_of_the_release() =>
        Check(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), new() { Adapter = new() { Rank = 4 }, Task = "causal-lm", Optimizer = new() { Name = "sgd" } }, new StepSchedule([0.1, 0.2]));

    private static void Check(OnnxModel model, TrainingOptions options, StepSchedule? schedule = null)
    {
        var written = OrtTrainingGraphs.Of(TrainingGraphs.Build(model, options), OrtTrainingForm.Foreign(schedule));

        OnnxModel[] models = [written.Train, written.Eval, written.Optimizer];
        var unknown = models.SelectMany(model => model.Graph.Nodes).Select(Line).Except(Known).Order(StringComparer.Ordinal).ToList();
        Assert.That(unknown, Is.Empty, string.Join('\n', unknown));
        Assert.That(models.Select(model => (model.IrVersion, model.Opsets[string.Empty], model.Opsets[OrtOps.Domain])), Is.All.EqualTo((10L, 21L, 1L)));
    }

    private static string Line(Node node) =>
        string.Join(' ', [node.Op, .. node.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Select(attribute => InWords(attribute.Key, attribute.Value))]);

    // Words and small numbers choose what an operator does; sizes and real numbers do not.
    private static string InWords(string name, OnnxAttribute attribute) => attribute.Value switch
    {
        byte[] text when attribute.Kind == AttrKind.String => $"{name}={Encoding.UTF8.GetString(text)}",
        long number when name is not ("K" or "N") => string.Create(CultureInfo.InvariantCulture, $"{name}={number}"),
        _ => name,
    };
}
