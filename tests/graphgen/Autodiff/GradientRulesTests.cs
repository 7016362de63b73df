using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

internal sealed class GradientRulesTests
{
    public static IEnumerable<TestCaseData> Known => GradientTable.All.Select(row => new TestCaseData(row, false).SetArgDisplayNames(row.ToString()));

    public static IEnumerable<TestCaseData> Named => GradientTable.All.Where(row => row.Symbolic).Select(row => new TestCaseData(row, true).SetArgDisplayNames(row.ToString()));

    [TestCaseSource(nameof(Known))]
    public void Gradient_is_that_of_central_differences(GradientCase row, bool symbolic) => Check(row, symbolic);

    [TestCaseSource(nameof(Named))]
    public void Gradient_does_not_need_to_know_sizes(GradientCase row, bool symbolic) => Check(row, symbolic);

    [Test]
    public void Every_rule_has_a_row()
    {
        var tested = GradientTable.All.Select(row => row.Op).ToHashSet();

        Assert.That(GradientRules.All.Where(rule => rule.Inputs is not null && rule.Reason is null && !tested.Contains(rule.Op)).Select(rule => rule.Op), Is.Empty);
    }

    private static void Check(GradientCase row, bool symbolic)
    {
        var random = new SeededRandom(1, row.ToString());
        var (model, _) = Ort.New();
        var (inputs, feeds) = (new List<Value?>(), new Dictionary<string, OnnxTensor>());
        foreach (var input in row.Inputs) inputs.Add(input is null ? null : Add(input, inputs.Count));
        var names = row.Op.Split("::");
        var node = new Node(names[^1], names.Length > 1 ? names[0] : string.Empty, inputs, Enumerable.Range(0, row.Outputs).Select(i => model.Graph.AddValue($"y{i}"))) { Name = "/node" };
        foreach (var (name, value) in row.Attributes) node.Attributes[name] = value;
        model.Graph.Add(node);
        ShapeInference.Infer(node);
        foreach (var output in node.Outputs) model.Graph.AddOutput(output!);

        GradientCheck.Run(model, feeds, [.. feeds.Keys], row.Tolerance);

        Value Add(GradientInput input, int index)
        {
            if (input.Constant is { } constant) return model.Graph.AddConstant($"c{index}", constant);
            feeds[$"x{index}"] = OnnxTensor.Of<float>(input.Shape, input.Draw(random, index));
            return model.Graph.AddInput($"x{index}", ElementType.Float, [.. input.Shape.Select(size => symbolic ? Dim.Symbol($"n{size}") : new Dim(size))]);
        }
    }
}
