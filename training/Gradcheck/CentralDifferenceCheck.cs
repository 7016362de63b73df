using System.Numerics;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>What a check against central differences came to.</summary>
/// <param name="Loss">The loss, at the place where the gradients were taken.</param>
/// <param name="LossNoise">Standard deviation of the rounding of the loss, measured.</param>
/// <param name="MaxGradRelDiff">The largest of the factors'.</param>
/// <param name="Tolerance">What it may be.</param>
/// <param name="Factors">Each trained tensor, along the direction that decided.</param>
/// <param name="Verdict">Wrong if one tensor is wrong, else unresolved if one is unresolved.</param>
public sealed record DifferenceResult(double Loss, double LossNoise, double MaxGradRelDiff, double Tolerance,
    IReadOnlyList<DirectionCheck> Factors, GradientVerdict Verdict)
{
    /// <summary>Whether all gradients agree.</summary>
    public bool Ok => Verdict == GradientVerdict.Ok;

    /// <summary>What is wrong, as LRT606; null where nothing is, also where a gradient is unresolved.</summary>
    /// <param name="model">What the sentence calls the model.</param>
    public LortaException? Failure(string model) => Verdict != GradientVerdict.Wrong
        ? null
        : GradcheckErrors.Wrong(model, "central differences", Factors.Select(factor => (factor.Name, factor.GradRelDiff)));
}

/// <summary>Compares derived gradients with central differences of the loss, in float32.</summary>
/// <remarks>Each tensor is moved along its own gradient, where the loss answers most, and along random directions, which no error hides
/// from. Steps are chosen by extrapolation (<see cref="Slope"/>), the rounding of losses and gradients is measured, and a tensor counts
/// as wrong only where two directions say so.</remarks>
/// <param name="graphs">The graphs; no trained tensor should be zero.</param>
/// <param name="settings">Device and threads.</param>
/// <param name="seed">Seed of the directions.</param>
internal sealed class CentralDifferenceCheck(TrainingGraphs graphs, OrtEngineOptions settings, long seed)
{
    private const int Directions = 3;       // of every tensor
    private const int MoreDirections = 3;   // where these do not agree
    private const int Probes = 13;          // losses that their rounding is measured by
    private const double Nearby = 1e-6;     // relative distance between probes: some steps of float32, over which the loss is straight
    private const double Rounding = 2e-7;   // of a float32, with some to spare

    /// <summary>Random factors instead of the first ones: where one is zero, most gradients are. What multiplies number by number has
    /// numbers around 1; where they are small, rounding hides their gradients.</summary>
    public static IReadOnlyDictionary<string, OnnxTensor> FactorsOf(AdapterPlan plan, long seed) => plan.Factors.ToDictionary(
        factor => factor.Name,
        factor => (factor with { Init = Init.Normal(factor.GradcheckDeviation) }).Draw(seed),
        StringComparer.Ordinal);

    /// <summary>Checks every trained tensor.</summary>
    /// <exception cref="LortaException">LRT605: the loss is no finite number.</exception>
    public DifferenceResult Run(Batch batch)
    {
        using var runtime = settings.Open(graphs);
        return Run(runtime, batch);
    }

    /// <summary>Checks the gradients that a runtime gives.</summary>
    internal DifferenceResult Run(IGradientRuntime runtime, Batch batch)
    {
        var start = runtime.State;
        var loss = runtime.Accumulate(batch, weight: 1);
        if (!double.IsFinite(loss)) throw GradcheckErrors.NoDifferences(loss);
        var gradients = runtime.Gradients.ToDictionary(pair => pair.Key, pair => pair.Value.ToFloats(), StringComparer.Ordinal);
        var noises = GradientNoise(runtime, start, gradients, batch);
        using var measured = new MeasuredLoss(graphs, settings, batch);
        var values = gradients.Keys.ToDictionary(
            name => name, name => Array.ConvertAll(start.Tensors[name].ToFloats(), value => (double)value), StringComparer.Ordinal);
        var (atStart, noise) = LossNoise(measured, values);
        var norm = Length(gradients.Values.SelectMany(gradient => gradient).Where(float.IsFinite));
        var judge = new GradientJudge(measured, values, atStart, noise, norm);
        var checks = graphs.Trained
            .Select(trained => new CheckedTensor(trained.Name, values[trained.Name], gradients[trained.Name], noises[trained.Name]))
            .Select(tensor => Check(judge, tensor))
            .ToList();
        var largest = LargestDeviation.Of(checks.Select(check => check.GradRelDiff));
        return new DifferenceResult(loss, noise, largest, GradientJudge.Tolerance, checks, Overall(checks));
    }

    private static GradientVerdict Overall(IReadOnlyList<DirectionCheck> checks)
    {
        if (checks.Count == 0 || checks.Any(IsWrong)) return GradientVerdict.Wrong;
        return checks.Any(check => check.Verdict == GradientVerdict.Unresolved) ? GradientVerdict.Unresolved : GradientVerdict.Ok;
    }

    private DirectionCheck Check(GradientJudge judge, CheckedTensor tensor)
    {
        var random = new SeededRandom(seed, $"direction/{tensor.Name}");
        var checks = new List<DirectionCheck>();
        while (checks.Count < Directions || (checks.Count < Directions + MoreDirections && checks.Count(IsWrong) == 1))
        {
            var direction = checks.Count % Directions == 0
                ? AlongGradient(tensor.Gradient, random)
                : Array.ConvertAll(tensor.Gradient, _ => random.NextNormal());
            var length = Length(direction);
            if (length > 0) direction = Array.ConvertAll(direction, value => value / length);
            checks.Add(judge.Along(tensor, direction, isRandom: checks.Count % Directions != 0 || length == 0));
        }
        return GradientJudge.Together(checks);
    }

    private static bool IsWrong(DirectionCheck check) => check.Verdict == GradientVerdict.Wrong;

    // Each element's share differs a little, so that two such directions are not the same.
    private static double[] AlongGradient(float[] gradient, SeededRandom random) =>
        Array.ConvertAll(gradient, value => value * (0.5 + random.NextUniform()));

    /// <summary>By how much each gradient changes where every trained number moves by its own rounding.</summary>
    private Dictionary<string, double> GradientNoise(IGradientRuntime runtime, TrainingState start, Dictionary<string, float[]> gradients,
        Batch batch)
    {
        runtime.State = start with
        {
            Tensors = start.Tensors.ToDictionary(pair => pair.Key, pair => Rounded(pair.Key, pair.Value), StringComparer.Ordinal),
        };
        runtime.Accumulate(batch, weight: 1);   // a second gradient on top of the first
        var sums = runtime.Gradients;
        runtime.State = start;
        return gradients.ToDictionary(pair => pair.Key, pair => LengthOfChange(sums[pair.Key], pair.Value), StringComparer.Ordinal);

        OnnxTensor Rounded(string name, OnnxTensor tensor)
        {
            if (!gradients.ContainsKey(name)) return tensor;
            var moved = Moved(name, tensor.ToFloats(), Rounding);
            return OnnxTensor.Of<float>([.. tensor.Dims], Array.ConvertAll(moved, value => (float)value));
        }

        static double LengthOfChange(OnnxTensor sum, float[] first) => Length(sum.ToFloats().Zip(first, (both, one) => both - (2 * one)));
    }

    /// <summary>The loss at the start and the standard deviation of its rounding: third differences of a straight line are nothing but
    /// rounding.</summary>
    private (double Loss, double Noise) LossNoise(MeasuredLoss loss, Dictionary<string, double[]> values)
    {
        var losses = Enumerable.Range(0, Probes).Select(i => LossAt(Nearby * (i - (Probes / 2)))).ToList();
        var differences = losses;
        for (var order = 0; order < 3; order++) differences = [.. differences.Skip(1).Zip(differences, (next, value) => next - value)];
        var deviation = Math.Sqrt(differences.Average(difference => difference * difference) / 20);   // 1² + 3² + 3² + 1²
        return (losses[Probes / 2], Math.Max(deviation, Math.Abs(losses[Probes / 2]) * 1e-16));

        double LossAt(double distance) =>
            loss.At(values.ToDictionary(pair => pair.Key, pair => Moved(pair.Key, pair.Value, distance), StringComparer.Ordinal));
    }

    // Every number moved along one random direction by its own size times a distance; where all are zero, as new biases are, by the
    // distance itself, as nothing would move otherwise.
    private double[] Moved<T>(string name, T[] values, double distance)
        where T : INumber<T>
    {
        var random = new SeededRandom(seed, $"probe/{name}");
        var isZero = Array.TrueForAll(values, T.IsZero);
        return Array.ConvertAll(values, value => isZero
            ? distance * random.NextNormal()
            : double.CreateChecked(value) * (1 + (distance * random.NextNormal())));
    }

    private static double Length(IEnumerable<float> values) => Math.Sqrt(values.Sum(value => (double)value * value));

    private static double Length(double[] values) => Math.Sqrt(values.Sum(value => value * value));
}
