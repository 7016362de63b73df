using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Opsets;

internal sealed class OpsetsTests
{
    private static IEnumerable<int> Range => Enumerable.Range((int)OnnxOpsets.Oldest, (int)(OnnxOpsets.Newest - OnnxOpsets.Oldest + 1));

    [TestCaseSource(nameof(Range))]
    public void Encoder_in_the_spelling_of_the_opset_runs_and_its_training_copy_computes_the_same(int opset)
    {
        var deployed = Spelled(opset);

        var canonical = CanonicalModel.Of(deployed);

        var feeds = deployed.Graph.Inputs.ToDictionary(input => input.Name, input => OnnxTensor.Of<long>([2, 6], [.. Enumerable.Range(0, 12).Select(i => input.Name.Contains("mask", StringComparison.Ordinal) ? 1L : i % 7)]));
        var (expected, found) = (Ort.Run(deployed, feeds), Ort.Run(canonical.Model, feeds));
        Assert.That(canonical.Cores, Has.Count.EqualTo(2));
        foreach (var (name, tensor) in expected) Assert.That(found[name].ToFloats(), Is.EqualTo(tensor.ToFloats()).Within(1e-5), name);
    }

    [TestCase("README.md", "Opsets ")]
    [TestCase("docs/errors.md", "another opset from ")]
    public void Documents_state_the_range(string file, string before) =>
        Assert.That(File.ReadAllText(Path.Combine(Fixtures.Repository, file)), Does.Contain(before + OnnxOpsets.Range));

    // The fixture is of opset 14.
    private static OnnxModel Spelled(int opset)
    {
        var model = OnnxModel.Load(Architectures.All.Single(architecture => architecture.Name == "bert").Path);
        ShapeInference.Infer(model.Graph);
        foreach (var node in model.Graph.Nodes.ToArray()) Spell(model.Graph, node, opset);
        (model.OpsetVersions[string.Empty], model.IrVersion) = (opset, 10);
        return model;
    }

    // Axes were attributes before opset 13 (of means before 18), a softmax had no negative axis before 11, and there was no Erf before 9.
    private static void Spell(Graph graph, Node node, int opset)
    {
        var (inputs, attributes) = (node.Inputs.ToList(), node.Attributes.ToDictionary());
        if (opset < 13 && node.OpType is ("Squeeze" or "Unsqueeze"))
        {
            attributes["axes"] = inputs[1]!.StoredTensor()!.ToLongs();
            inputs.RemoveAt(1);
        }
        if (opset >= 18 && node.Op == "ReduceMean" && attributes.Remove("axes", out var axes)) inputs.Add(graph.AddConstant($"{node.Output.Name}/axes", OnnxTensor.Vector<long>((long[])axes.Value)));
        if (opset < 13 && node.Op == "Softmax") attributes["axis"] = node.Output.Rank - 1L;
        if (opset < 14) attributes.Remove("allowzero");
        var copy = new Node(opset < 9 && node.Op == "Erf" ? "Tanh" : node.OpType, string.Empty, inputs, [graph.AddValue($"{node.Output.Name}/{opset}", node.Output.Type, node.Output.Shape)]) { Name = node.Name };
        foreach (var (name, value) in attributes) copy.Attributes[name] = value;
        graph.Add(copy, after: node);
        graph.ReplaceUses(node.Output, copy.Output);
        graph.Remove(node);
    }
}
