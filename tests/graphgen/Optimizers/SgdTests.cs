using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Optimizers;

internal sealed class SgdTests
{
    private static readonly OptimizedTensor[] Tensors =
    [
        new("layers.0.q.A", [3, 4], WeightDecay: 0.1),
        new("classifier.bias", [5], LearningRateFactor: 3),
    ];

    [TestCase(null)]
    [TestCase(1.0)]
    public void Step_is_that_of_double_precision(double? clip)
    {
        using var optimizer = new Ort(Sgd.Build(Tensors, clip));
        var feeds = Tensors.ToDictionary(tensor => tensor.Name, tensor => RandomTensor.Normal(tensor.Name, [.. tensor.Dims]));
        foreach (var tensor in Tensors) feeds[OptimizerNames.Gradient(tensor.Name)] = RandomTensor.Normal($"{tensor.Name}.grad", [.. tensor.Dims]);
        (feeds[OptimizerNames.Step], feeds[OptimizerNames.LearningRate]) = (OnnxTensor.Scalar(1L), OnnxTensor.Scalar(0.5f));

        var next = optimizer.Run(feeds);

        float[] Gradient(OptimizedTensor tensor) => feeds[OptimizerNames.Gradient(tensor.Name)].ToFloats();
        var norm = Math.Sqrt(Tensors.Sum(tensor => Gradient(tensor).Sum(g => (double)g * g)));
        var factor = clip is { } limit ? Math.Min(1, limit / (norm + 1e-6)) : 1;
        Assert.That(next[OptimizerNames.GradientNorm].ToFloats()[0], Is.EqualTo(norm).Within(norm * 1e-6));
        foreach (var tensor in Tensors)
        {
            var rate = 0.5 * tensor.LearningRateFactor;
            var expected = feeds[tensor.Name].ToFloats().Zip(Gradient(tensor), (p, g) => (p * (1 - (rate * tensor.WeightDecay))) - (rate * factor * g));
            Assert.That(next[OptimizerNames.Next(tensor.Name)].ToFloats(), Is.EqualTo(expected).Within(1e-6), tensor.Name);
        }
    }

    [Test]
    public void Graph_keeps_nothing_between_steps()
    {
        var graph = Sgd.Build(Tensors[..1], clip: null).Graph;

        Assert.That(graph.Inputs.Select(input => input.Name), Is.EquivalentTo(new[] { "lr", "step", "layers.0.q.A", "layers.0.q.A.grad" }));
        Assert.That(graph.Outputs.Select(output => output.Name), Is.EquivalentTo(new[] { "grad_norm", "layers.0.q.A.next" }));
    }
}
