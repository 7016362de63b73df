using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Optimizers;

internal sealed class AdamWTests
{
    private static readonly OptimizedTensor[] Tensors =
    [
        new("layers.0.q.A", [3, 4], WeightDecay: 0.1),
        new("layers.0.q.B", [5]),
        new("classifier.weight", [2, 2], LearningRateFactor: 3, WeightDecay: 0.01),
        new("classifier.bias", [2], LearningRateFactor: 3, WeightDecay: 0.01),
    ];

    [TestCase(null)]
    [TestCase(1.0)]
    [TestCase(1e6)]
    public void Trajectory_is_that_of_double_precision(double? clip)
    {
        var options = new AdamWOptions(Clip: clip);
        var reference = new Reference(Tensors, options);
        using var optimizer = new Ort(AdamW.Build(Tensors, options));
        var state = Start();
        foreach (var tensor in Tensors) reference.Start(tensor.Name, state[tensor.Name].ToFloats());

        for (var step = 1; step <= 5; step++)
        {
            foreach (var tensor in Tensors) state[OptimizerNames.Gradient(tensor.Name)] = RandomTensor.Normal($"{tensor.Name}/{step}", [.. tensor.Dims]);
            (state[OptimizerNames.Step], state[OptimizerNames.LearningRate]) = (OnnxTensor.Scalar((long)step), OnnxTensor.Scalar(0.01f * step));
            var next = optimizer.Run(state);
            var norm = reference.Step(step, 0.01f * step, name => state[OptimizerNames.Gradient(name)].ToFloats());

            Assert.That(next[OptimizerNames.GradientNorm].ToFloats()[0], Is.EqualTo(norm).Within(norm * 1e-6));
            foreach (var name in Tensors.SelectMany(tensor => (string[])[tensor.Name, Mean(tensor.Name), Square(tensor.Name)]))
            {
                state[name] = next[OptimizerNames.Next(name)];
                AssertNear(state[name].ToFloats(), reference.State[name], $"{name} after step {step}");
            }
        }
    }

    [Test]
    public void Graph_reads_and_writes_what_its_names_say()
    {
        var graph = AdamW.Build(Tensors[..1], new()).Graph;

        Assert.That(graph.Inputs.Select(input => input.Name), Is.EquivalentTo(new[] { "lr", "step", "layers.0.q.A", "layers.0.q.A.grad", "layers.0.q.A.m", "layers.0.q.A.v" }));
        Assert.That(graph.Outputs.Select(output => output.Name), Is.EquivalentTo(new[] { "grad_norm", "layers.0.q.A.next", "layers.0.q.A.m.next", "layers.0.q.A.v.next" }));
        Assert.That(graph.Nodes.Select(node => node.Domain), Is.All.Empty);
    }

    private static Dictionary<string, OnnxTensor> Start()
    {
        var state = new Dictionary<string, OnnxTensor>();
        foreach (var tensor in Tensors)
        {
            state[tensor.Name] = RandomTensor.Normal(tensor.Name, [.. tensor.Dims]);
            state[Mean(tensor.Name)] = state[Square(tensor.Name)] = OnnxTensor.Of<float>([.. tensor.Dims], new float[state[tensor.Name].Count]);
        }
        return state;
    }

    private static string Mean(string tensor) => AdamW.State[0].Input(tensor);

    private static string Square(string tensor) => AdamW.State[1].Input(tensor);

    private static void AssertNear(float[] actual, double[] expected, string what)
    {
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < actual.Length; i++) Assert.That(actual[i], Is.EqualTo(expected[i]).Within(1e-6 * largest), $"{what}, element {i}");
    }

    /// <summary>The formulas as the paper has them, in double precision.</summary>
    private sealed class Reference(IReadOnlyList<OptimizedTensor> tensors, AdamWOptions options)
    {
        public Dictionary<string, double[]> State { get; } = [];

        public void Start(string name, float[] values)
        {
            State[name] = [.. values.Select(value => (double)value)];
            (State[Mean(name)], State[Square(name)]) = (new double[values.Length], new double[values.Length]);
        }

        public double Step(int step, double rate, Func<string, float[]> gradient)
        {
            var norm = Math.Sqrt(tensors.Sum(tensor => gradient(tensor.Name).Sum(g => (double)g * g)));
            var clip = options.Clip is { } limit ? Math.Min(1, limit / (norm + 1e-6)) : 1;
            foreach (var tensor in tensors)
            {
                var (p, m, v, g) = (State[tensor.Name], State[Mean(tensor.Name)], State[Square(tensor.Name)], gradient(tensor.Name));
                var eta = rate * tensor.LearningRateFactor;
                for (var i = 0; i < p.Length; i++)
                {
                    m[i] = (options.Beta1 * m[i]) + ((1 - options.Beta1) * g[i] * clip);
                    v[i] = (options.Beta2 * v[i]) + ((1 - options.Beta2) * g[i] * clip * g[i] * clip);
                    var mean = m[i] / (1 - Math.Pow(options.Beta1, step));
                    var square = v[i] / (1 - Math.Pow(options.Beta2, step));
                    p[i] = (p[i] * (1 - (eta * tensor.WeightDecay))) - (eta * mean / (Math.Sqrt(square) + options.Epsilon));
                }
            }
            return norm;
        }
    }
}
