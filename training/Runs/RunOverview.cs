using System.Globalization;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Messages;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>What a run is about to do: the lines that are shown before its first step.</summary>
internal static class RunOverview
{
    // .NET, ONNX Runtime and the tool before a model is opened; measured.
    private const long ProcessBytes = 120_000_000;

    /// <summary>Model and task, data, tokens, what is trained, memory.</summary>
    /// <param name="task">The recipe with everything opened.</param>
    /// <param name="recipe">The recipe.</param>
    public static IEnumerable<string> Of(PreparedTask task, Recipe recipe)
    {
        var (train, validation) = task.Data;
        var graphs = task.Graphs;
        yield return $"model: {Path.GetFileName(recipe.Model)} for {recipe.Task}, "
            + $"{Plural.Of(graphs.BaseParameters, "parameter", "parameters")}";
        yield return $"training data: {Phrases.Of(train.Path, train.Counts, recipe.Data.Packing)}; {Steps(task, recipe.Train)}";
        if (validation is not null)
            yield return $"validation data: {Phrases.Of(validation.Path, validation.Counts, recipe.Data.Packing)}; "
                + Phrases.Rows(validation.Count);
        yield return $"tokens in a row: {TokensIn(train)}";
        var trained = graphs.Trained.Sum(tensor => tensor.Initial.Count);
        yield return $"trained: {Share(trained, graphs.BaseParameters)}; {Adapter(graphs.Plan)}";
        var place = recipe.Device == "cpu" ? string.Empty : " on the device";
        yield return $"memory: at least {Phrases.Bytes(Memory(task, recipe))}{place} at the peak";
    }

    /// <summary>Where a run goes on that is resumed, and that it was made longer just now.</summary>
    public static IEnumerable<string> Of(RunState run, RunPlan plan, bool isExtended, RunFolder folder)
    {
        if (isExtended) yield return Phrases.Extended(run.Step);
        yield return run.Step switch
        {
            0 => $"{folder.Path}: holds no step to continue from; starts at step 1",
            var step when step >= plan.Steps =>
                $"step {Integer(step)} of {Integer(plan.Steps)} was the last; a larger train.steps or train.epochs makes the run longer",
            var step => $"continues after step {Integer(step)} of {Integer(plan.Steps)}",
        };
    }

    /// <summary>Median, 95th percentile and longest of the rows' numbers of tokens.</summary>
    public static string TokensIn(DataStream data)
    {
        int[] lengths = [.. data.Lengths.Order()];
        string At(double share) => Integer(lengths[(int)Math.Ceiling(share * lengths.Length) - 1]);
        return $"median {At(0.5)}, 95th percentile {At(0.95)}, longest {At(1)}";
    }

    /// <summary>How many parameters are trained, of all and in per cent.</summary>
    public static string Share(long trained, long parameters) => string.Create(CultureInfo.InvariantCulture,
        $"{Integer(trained)} of {Integer(parameters)} parameters ({100.0 * trained / parameters:G3} %)");

    /// <summary>The family, its size and its places.</summary>
    public static string Adapter(AdapterPlan plan)
    {
        var options = plan.Options;
        string[] size = plan.Family.HasRank
            ? [string.Create(CultureInfo.InvariantCulture, $"rank {options.Rank}, alpha {options.Alpha}")]
            : [];
        string[] places = options.Targets is { Count: > 0 } targets ? [$"on {string.Join(" ", targets)}"] : [];
        string[] layers = options.Layers == LayerChoice.All ? [] : [$"layers {options.Layers}"];
        return string.Join(", ", [options.Method, .. size, .. places, .. layers]);
    }

    private static string Steps(PreparedTask task, TrainOptions train)
    {
        var (data, plan) = (task.Data.Train, task.Plan);
        var epochs = ((double)plan.Steps / plan.StepsPerEpoch).ToString("0.##", CultureInfo.InvariantCulture);
        var accumulated = train.GradientAccumulation > 1 ? $", {Integer(train.GradientAccumulation)} for a step" : string.Empty;
        var batches = Plural.Of(data.BatchesPerEpoch, "batch", "batches");
        return $"{Phrases.Rows(data.Count)} in {batches} of {Integer(train.BatchSize)}{accumulated}; "
            + $"{Plural.Of(plan.Steps, "step", "steps")} = {epochs} {(epochs == "1" ? "epoch" : "epochs")}";
    }

    // Values, gradients and the optimizer's state twice: the next ones are written beside those of now.
    private static long Memory(PreparedTask task, Recipe recipe)
    {
        var trained = task.Graphs.Trained.Sum(tensor => tensor.Initial.ByteCount);
        var graph = PeakMemory.Of(task.Graphs.Train.Graph, recipe.Train.BatchSize, task.Data.Train.Lengths.Max());
        return graph + (trained * (1 + (2 * (1 + task.Graphs.OptimizerState.Count)))) + (recipe.Device == "cpu" ? ProcessBytes : 0);
    }

    private static string Integer(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
