using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Checks;

/// <summary>A derivative along a random direction, twice.</summary>
/// <param name="Name">The trained tensor.</param>
/// <param name="Derived">gradient · v.</param>
/// <param name="Measured">(loss(x + εv) − loss(x − εv)) / 2ε.</param>
/// <param name="GradRelDiff">|derived − measured| / max(|derived|, |measured|, 1e-2·‖all gradients‖).</param>
internal sealed record DirectionCheck(string Name, double Derived, double Measured, double GradRelDiff);

/// <summary>What a check against central differences came to.</summary>
internal sealed record DifferenceResult(double Loss, double MaxGradRelDiff, double Tolerance, IReadOnlyList<DirectionCheck> Factors, bool Ok);

/// <summary>Compares derived gradients with central differences of the loss along random directions, in float32.</summary>
/// <param name="graphs">The graphs; no trained tensor should be zero.</param>
/// <param name="settings">Device and threads.</param>
/// <param name="seed">Seed of the directions.</param>
internal sealed class CentralDifferenceCheck(TrainingGraphs graphs, OrtSettings settings, long seed)
{
    // Losses come rounded to float32, so a step must move them by much more than 1e-7 and yet stay where they are nearly straight.
    private const double Epsilon = 1e-2;
    private const double Tolerance = 2e-2;
    private const double LossRounding = 1.0 / (1 << 23);

    /// <summary>Random factors instead of the first ones: where one is zero, most gradients are.</summary>
    public static IReadOnlyDictionary<string, Tensor> FactorsOf(AdapterPlan plan, long seed) => plan.Factors.ToDictionary(
        factor => factor.Name,
        factor => (factor with { Init = Init.Normal(1 / Math.Sqrt(Math.Max(1, factor.Dims[0]))) }).Draw(seed),
        StringComparer.Ordinal);

    public DifferenceResult Run(Batch batch)
    {
        using var runtime = new OrtSessionRuntime(graphs, settings);
        var start = runtime.State;
        var loss = runtime.Accumulate(batch, weight: 1);
        var gradients = runtime.Gradients;
        var norm = Math.Sqrt(gradients.Values.Sum(gradient => gradient.ToFloats().Sum(value => (double)value * value)));
        var checks = graphs.Trained.Select(tensor => Check(runtime, start, tensor, gradients[tensor.Name].ToFloats(), (loss, norm), batch)).ToList();
        var worst = Worst.Of(checks.Select(check => check.GradRelDiff));
        return new DifferenceResult(loss, worst, Tolerance, checks, worst <= Tolerance);
    }

    private DirectionCheck Check(OrtSessionRuntime runtime, TrainingState start, TrainedTensor tensor, float[] gradient, (double Loss, double Norm) at, Batch batch)
    {
        var random = new SeededRandom(seed, $"direction/{tensor.Name}");
        var values = start.Values[tensor.Name].ToFloats();
        var direction = Array.ConvertAll(values, _ => random.NextNormal());
        var length = Math.Sqrt(direction.Sum(value => value * value));
        direction = Array.ConvertAll(direction, value => value / length);
        var derived = direction.Zip(gradient, (v, g) => v * g).Sum();
        var step = Epsilon * Math.Max(1, Math.Sqrt(values.Sum(value => (double)value * value)));
        var measured = (LossAt(step) - LossAt(-step)) / (2 * step);
        runtime.State = start;
        var rounding = LossRounding * Math.Abs(at.Loss) / step;   // what the rounding of the two losses alone can make of no difference
        var size = Math.Max(Math.Max(Math.Abs(derived), Math.Abs(measured)), Math.Max(1e-2 * at.Norm, rounding / Tolerance));
        return new DirectionCheck(tensor.Name, derived, measured, Math.Abs(derived - measured) / size);

        double LossAt(double distance)
        {
            var moved = values.Zip(direction, (value, v) => (float)(value + (distance * v))).ToArray();
            var state = start.Values.ToDictionary(StringComparer.Ordinal);
            state[tensor.Name] = Tensor.Of<float>([.. tensor.Initial.Dims], moved);
            runtime.State = start with { Values = state };
            return runtime.Forward(batch)[TrainingNames.Loss].ToFloats()[0];
        }
    }
}
