using LoRTA.Onnx.GraphGen.Artifacts.Portable;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Artifacts.Portable;

/// <summary>What an RMS norm tells about its rows, computed beside it.</summary>
internal sealed class NormStatisticsTests
{
    [TestCase(-1)]
    [TestCase(1)]
    public void They_are_those_of_the_operator(int axis)
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [2, 3, 8])];
        var weight = tape.Constant(RandomTensor.Normal("weight", axis == 1 ? [3, 8] : [8]));
        var norm = tape.Write("SimplifiedLayerNormalization", [x, weight], 2, ("axis", axis), ("epsilon", 1e-2f), ("stash_type", 1));
        model.Graph.AddOutput((tape[norm.Outputs[1]!] * 2).Value);
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Normal("x", 2, 3, 8) };
        var expected = Ort.Run(model, inputs).Values.Single();

        NormStatistics.Replace(tape);

        var found = Ort.Run(model, inputs).Values.Single();
        Assert.That(norm.Outputs[1]!.Uses, Is.Empty);
        Assert.That(found.Dims, Is.EqualTo(expected.Dims));
        Assert.That(found.ToFloats(), Is.EqualTo(expected.ToFloats()).Within(1e-6));
    }
}
