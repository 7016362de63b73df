using LoRTA.Onnx.GraphGen.Autodiff;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Autodiff;

/// <summary>Compares derived gradients with central differences along a random direction, both in ONNX Runtime.</summary>
internal static class GradientCheck
{
    private const double Step = 1e-2;

    /// <summary>Checks ∂(Σ w∘y)/∂x·v for each input x of a model whose outputs are the ys, with random w and v.</summary>
    public static void Run(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> feeds, IReadOnlyList<string> inputs, double tolerance = 1e-4)
    {
        var random = new SeededRandom(0, "directions");
        using var forward = new Ort(model);
        var weights = forward.Run(feeds).ToDictionary(output => output.Key, output => RandomTensor.Between(-1, 1, random, output.Value.Dims));
        var gradients = Derived(model, feeds, inputs, weights);

        foreach (var name in inputs)
        {
            var v = RandomTensor.Between(-1, 1, random, feeds[name].Dims);
            var gradient = gradients[$"gradient:{name}"];
            var derived = Dot(gradient, v);
            var differences = ((4 * Difference(Step)) - Difference(2 * Step)) / 3;   // Richardson: the error of second order drops out
            var scale = Math.Abs(differences) + Math.Sqrt(gradient.ToFloats().Zip(v.ToFloats(), (g, d) => (double)g * g * d * d).Sum());

            Assert.That(gradient.Dims, Is.EqualTo(feeds[name].Dims), $"shape of the gradient of {name}");
            Assert.That(new[] { derived, differences }, Has.All.Matches<double>(double.IsFinite), name);   // NaN would count as less than any tolerance
            Assert.That(Math.Abs(derived - differences), Is.LessThanOrEqualTo(tolerance * scale), $"{name}: derived {derived:g9}, by differences {differences:g9}");

            double Difference(double step) => (Objective(step) - Objective(-step)) / (2 * step);

            double Objective(double step)
            {
                var moved = feeds.ToDictionary();
                moved[name] = OnnxTensor.Of<float>([.. v.Dims], [.. feeds[name].ToFloats().Zip(v.ToFloats(), (x, d) => (float)(x + (step * d)))]);
                return forward.Run(moved).Sum(output => Dot(output.Value, weights[output.Key]));
            }
        }
    }

    private static IReadOnlyDictionary<string, OnnxTensor> Derived(OnnxModel model, IReadOnlyDictionary<string, OnnxTensor> feeds, IReadOnlyList<string> inputs, IReadOnlyDictionary<string, OnnxTensor> weights)
    {
        var training = model.Clone();
        var tape = new Tape(training.Graph);
        var objective = training.Graph.Outputs.Select(y => (tape[y] * tape.Constant(weights[y.Name])).Total()).Aggregate((sum, part) => sum + part);
        var gradients = Gradients.Of(tape, objective.Value, [.. inputs.Select(name => training.Graph.Find(name)!)], LortaCatalog.Default);
        foreach (var (name, gradient) in inputs.Zip(gradients)) training.Graph.AddOutput(Named(tape, gradient, $"gradient:{name}"));
        training.Graph.RemoveUnused();
        return Ort.Run(training, feeds);
    }

    private static Value Named(Tape tape, Expr gradient, string name)
    {
        var output = new Node("Identity", string.Empty, [gradient.Value], [tape.Graph.AddValue(name, gradient.Value.Type)]);
        return tape.Graph.Add(output).Output;
    }

    private static double Dot(OnnxTensor a, OnnxTensor b) => a.ToFloats().Zip(b.ToFloats(), (x, y) => (double)x * y).Sum();
}
