using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Gradcheck;

/// <summary>How a tensor compares with its golden.</summary>
/// <param name="Name">Name of the trained tensor.</param>
/// <param name="GradRelDiff">max|Δ| / max(max|expected|, 1e-6·gradNorm).</param>
/// <param name="AfterRelDiff">Worst of the stored steps, over entries whose gradient is no noise; null where nothing is stored or the
/// gradient is 0 in theory.</param>
public sealed record FactorCheck(string Name, double GradRelDiff, double? AfterRelDiff);

/// <summary>What a check against a golden came to.</summary>
public sealed record GoldenResult
{
    /// <summary>The loss of the golden's batch.</summary>
    public required double Loss { get; init; }

    /// <summary>How far it is from the golden's, relative to that.</summary>
    public required double LossRelDiff { get; init; }

    /// <summary>The largest of the factors'.</summary>
    public required double MaxGradRelDiff { get; init; }

    /// <summary>Largest relative deviation of a ΔW; null where the golden holds none.</summary>
    public required double? MaxDeltaRelDiff { get; init; }

    /// <summary>Largest relative deviation after an optimizer step; null where the golden holds none.</summary>
    public required double? MaxAfterRelDiff { get; init; }

    /// <summary>Each trained tensor.</summary>
    public required IReadOnlyList<FactorCheck> Factors { get; init; }

    /// <summary>Whether all of it is within the limits.</summary>
    public required bool Ok { get; init; }

    /// <summary>What is wrong, as LRT606; null where nothing is.</summary>
    /// <param name="model">What the sentence calls the model.</param>
    public LortaException? Failure(string model) => Ok
        ? null
        : GradcheckErrors.Wrong(model, "the golden", Factors.Select(factor => (factor.Name, factor.GradRelDiff)));
}

/// <summary>Compares loss, gradients, optimizer steps and ΔW with a golden file, within the contract's limits.</summary>
/// <param name="golden">The golden.</param>
/// <param name="evaluator">Runs the fold graphs.</param>
internal sealed class GoldenCheck(Golden golden, IGraphEvaluator evaluator)
{
    private const double LossLimit = 1e-5;
    private const double GradientLimit = 1e-4;
    private const double DeltaLimit = 1e-5;
    private const double AfterLimit = 1e-4;
    private const double Noise = 1e-6;   // of the gradient's norm
    private const double Counts = 1e-4;  // of a tensor's largest gradient: AdamW turns noise in smaller ones into whole steps

    public GoldenResult Run(TrainingGraphs graphs, Batch batch, OrtEngineOptions settings)
    {
        golden.Check(graphs.Trained, graphs.Plan.Sites.All);
        using var runtime = settings.Open(graphs);
        var loss = runtime.Accumulate(batch, weight: 1);
        var gradients = runtime.Gradients;
        var after = Steps(runtime, batch);
        var factors = graphs.Trained.Select(tensor => Check(tensor, gradients[tensor.Name], after)).ToList();
        var delta = Deltas(graphs);
        var lossDifference = Math.Abs(loss - golden.Loss) / Math.Abs(golden.Loss);
        var (gradient, afterwards) = (LargestDeviation.Of(factors.Select(factor => factor.GradRelDiff)),
            LargestDeviation.OrNone(factors.Select(factor => factor.AfterRelDiff)));
        return new GoldenResult
        {
            Loss = loss,
            LossRelDiff = lossDifference,
            MaxGradRelDiff = gradient,
            MaxDeltaRelDiff = delta,
            MaxAfterRelDiff = afterwards,
            Factors = factors,
            Ok = lossDifference <= LossLimit && gradient <= GradientLimit && delta is not > DeltaLimit && afterwards is not > AfterLimit,
        };
    }

    // The trained tensors after each step that the golden stores.
    private Dictionary<long, IReadOnlyDictionary<string, OnnxTensor>> Steps(ITrainingRuntime runtime, Batch batch)
    {
        var after = new Dictionary<long, IReadOnlyDictionary<string, OnnxTensor>>();
        for (var step = 1L; step <= golden.After.DefaultIfEmpty(0).Max(); step++)
        {
            if (step > 1) runtime.Accumulate(batch, weight: 1);
            runtime.Step(learningRateFactor: 1);
            if (golden.After.Contains(step)) after[step] = runtime.State.Tensors;
        }
        return after;
    }

    private FactorCheck Check(TrainedTensor tensor, OnnxTensor gradient, Dictionary<long, IReadOnlyDictionary<string, OnnxTensor>> after)
    {
        var key = tensor.Input.Name;
        var (expected, found) = (golden.Tensors[$"grad.{key}"].ToFloats(), gradient.ToFloats());
        var largest = Largest(expected);
        var floor = Noise * golden.GradNorm;
        // 0 in theory: a key's bias
        if (largest < floor) return new FactorCheck(key, Largest(found) < floor ? 0 : Largest(found) / floor, null);
        var worst = LargestDeviation.OrNone(after
            .Where(step => golden.Tensors.ContainsKey($"after{step.Key}.{key}"))
            .Select(step => AfterDifference(
                golden.Tensors[$"after{step.Key}.{key}"].ToFloats(),
                step.Value[tensor.Name].ToFloats(),
                index => Math.Abs(expected[index]) >= Counts * largest))
            .Cast<double?>());
        return new FactorCheck(key, LargestDifference(expected, found, _ => true) / Math.Max(largest, floor), worst);
    }

    private double? Deltas(TrainingGraphs graphs)
    {
        var factors = graphs.Trained.Where(tensor => tensor.Input.Kind == TensorKind.Factor)
            .Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Initial))
            .Concat(graphs.Frozen.Select(pair => KeyValuePair.Create(TensorName.Parse(pair.Key).Name, pair.Value)));
        var fold = new FoldGraph(graphs.Plan, factors.ToDictionary(StringComparer.Ordinal), evaluator);
        return LargestDeviation.OrNone(graphs.Plan.Sites.All
            .Where(site => golden.Tensors.ContainsKey($"delta.{site.Address}"))
            .Select(site => (Expected: golden.Tensors[$"delta.{site.Address}"].ToFloats(), Found: fold.Delta(site)))
            .Where(pair => pair.Found is not null)
            .Select(pair => LargestDifference(pair.Expected, pair.Found!.ToFloats(), _ => true) / Largest(pair.Expected))
            .Cast<double?>());
    }

    private static double AfterDifference(float[] expected, float[] found, Func<int, bool> counts) =>
        LargestDifference(expected, found, counts) / Largest(expected);

    // A golden may hold the first rows only.
    private static double LargestDifference(float[] expected, float[] found, Func<int, bool> counts) =>
        LargestDeviation.Of(Enumerable.Range(0, expected.Length).Where(counts).Select(i => Math.Abs((double)expected[i] - found[i])));

    private static double Largest(float[] values) => LargestDeviation.Of(values.Select(value => Math.Abs((double)value)));
}
