using System.Globalization;
using System.Text;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Messages;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>The file <c>report.md</c> of a run: result, course of the loss, evaluations, environment.</summary>
public static class RunReport
{
    private const int MostRows = 20;
    private const int Columns = 60;
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Writes the report.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">The run.</param>
    internal static void Write(string path, RunRecord run) => AtomicFile.WriteText(path, Text(run));

    /// <inheritdoc cref="Write"/>
    internal static string Text(RunRecord run)
    {
        var text = new StringBuilder();
        var (recipe, environment) = (run.Recipe, run.Environment);
        text.Append(CultureInfo.InvariantCulture, $"# {recipe.Adapter.Method} on {Path.GetFileName(recipe.Model)}: {recipe.Task}\n\n");
        if (run.Ending is { } ending) text.Append(CultureInfo.InvariantCulture, $"**{ending}**\n\n");
        if (run.ToContinue is { } command) text.Append(CultureInfo.InvariantCulture, $"```sh\n{command}\n```\n\n");
        foreach (var warning in run.Result.Warnings) text.Append(CultureInfo.InvariantCulture, $"**Warning:** {warning}\n\n");
        Table(text, ["", ""], Summary(run));
        if (run.Steps.Count > 0) Course(text, run.Steps);
        if (run.Evaluations.Count > 0) Evaluations(text, run.Evaluations);
        text.Append("## Before the first step\n\n").AppendJoin('\n', run.Overview.Select(line => $"* {line}")).Append("\n\n");
        text.Append("## Environment\n\n");
        Table(text, ["", ""], Rows(environment));
        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>What the run came to, and from what: names and values.</summary>
    public static IReadOnlyList<string[]> Summary(RunRecord run)
    {
        var (recipe, result) = (run.Recipe, run.Result);
        var planned = result.PlannedSteps > result.Steps ? $" of {Integer(result.PlannedSteps)}" : string.Empty;
        var measured = result.LossStep is { } step ? $" (after step {Integer(step)})" : string.Empty;
        return
        [
            ["model", $"`{recipe.Model}`"],
            ["adapter", run.Adapter],
            ["trainable parameters", Integer(result.Trainable)],
            ["learning rate", Phrases.Rate(recipe.Train.Optimizer.LearningRate)],
            ["schedule", Schedule(recipe.Train.Schedule)],
            ["batch", Batch(recipe.Train)],
            ["seed", recipe.Seed.ToString(CultureInfo.InvariantCulture)],
            ["steps", Integer(result.Steps) + planned],
            .. result.ExtendedAt is { } extended ? (string[][])[["extended", Phrases.Extended(extended)]] : [],
            ["loss", result.Loss is { } loss ? Phrases.Number(loss) + measured : NoLoss(recipe.Data)],
            .. result.BaseLoss is { } before ? (string[][])[["loss before the first step", Phrases.Number(before)]] : [],
            .. result.StartLoss is { } start ? (string[][])[["loss of the adapter that it continues from", Phrases.Number(start)]] : [],
            .. result.TrainingLoss is { } last ? (string[][])[["training loss, last step", Phrases.Number(last)]] : [],
            .. result.Metrics.Select(metric => new[] { metric.Key, Phrases.Number(metric.Value) }),
            ["data", Phrases.Of(recipe.Data.Train, result.Data!, recipe.Data.Packing)],
            ["time", Phrases.Duration(result.Seconds)],
            .. result.TokensPerSecond > 0 ? (string[][])[["speed", Speed(result)]] : [],
            ["peak memory", Phrases.Bytes(result.PeakMemoryBytes)],
            ["adapter folder", $"`{result.Adapter}`"],
        ];
    }

    /// <summary>Where it was computed: names and values.</summary>
    public static IReadOnlyList<string[]> Rows(RunEnvironment environment) =>
    [
        ["machine", environment.Machine],
        ["system", environment.System],
        [".NET", environment.DotNet],
        ["runtime", environment.Runtime],
        ["device", $"{environment.Device}, {Plural.Of(environment.Threads, "thread", "threads")}"],
    ];

    /// <summary>Values as a line of bars, lowest to highest; at most <paramref name="width"/> of them, evenly picked.</summary>
    internal static string Sparkline(IReadOnlyList<double> values, int width = Columns)
    {
        var picked = Picked(values, width).Where(double.IsFinite).ToList();
        if (picked.Count == 0) return string.Empty;
        var (low, high) = (picked.Min(), picked.Max());
        return string.Concat(picked.Select(value => Bars[high > low
            ? (int)Math.Round((value - low) / (high - low) * (Bars.Length - 1))
            : 0]));
    }

    private static string Schedule(Schedule schedule) => schedule.WarmupSteps is { } steps
        ? $"{schedule.Name}, {Plural.Of(steps, "warm-up step", "warm-up steps")}"
        : string.Create(CultureInfo.InvariantCulture, $"{schedule.Name}, warm-up over {100 * schedule.WarmupRatio:0.##} % of the steps");

    private static string Batch(TrainOptions train) => train.GradientAccumulation == 1
        ? Phrases.Rows(train.BatchSize)
        : $"{Phrases.Rows(train.BatchSize)}, {Plural.Of(train.GradientAccumulation, "batch", "batches")} for a step";

    private static string Speed(TrainingReport result) => string.Create(
        CultureInfo.InvariantCulture, $"{result.SamplesPerSecond:0.#} samples/s, {result.TokensPerSecond:N0} tokens/s");

    private static string NoLoss(DataOptions data) => data.Validation is null && data.ValidationFraction is null
        ? "– (no validation data)"
        : "– (not measured yet)";

    private static string Integer(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static void Course(StringBuilder text, IReadOnlyList<StepEvent> steps)
    {
        text.Append(CultureInfo.InvariantCulture, $"## Loss\n\n`{Sparkline([.. steps.Select(step => step.Loss)])}`\n\n");
        Table(text, ["step", "epoch", "loss", "learning rate", "gradient norm"], Picked(steps, MostRows).Select(step => new[]
        {
            step.Step.ToString(CultureInfo.InvariantCulture),
            step.Epoch.ToString("0.00", CultureInfo.InvariantCulture),
            Phrases.Number(step.Loss),
            Phrases.Rate(step.LearningRate),
            step.GradNorm is { } norm ? Phrases.Number(norm) : "–",
        }));
    }

    private static void Evaluations(StringBuilder text, IReadOnlyList<EvaluationEvent> evaluations)
    {
        var names = evaluations[0].Metrics.Keys.ToList();
        text.Append("## Evaluations\n\n");
        Table(text, ["step", "loss", .. names], evaluations.Select(evaluation => new[]
        {
            evaluation.Step.ToString(CultureInfo.InvariantCulture),
            Phrases.Number(evaluation.Loss),
        }.Concat(names.Select(name => evaluation.Metrics.TryGetValue(name, out var value) ? Phrases.Number(value) : "–")).ToArray()));
    }

    private static void Table(StringBuilder text, IReadOnlyList<string> header, IEnumerable<string[]> rows) =>
        text.Append(MarkdownTable.Of(header, rows)).Append('\n');

    // The first and the last always, evenly spaced ones between.
    private static IEnumerable<T> Picked<T>(IReadOnlyList<T> values, int count) =>
        values.Count <= count ? values : Enumerable.Range(0, count).Select(i => values[(int)((long)i * (values.Count - 1) / (count - 1))]);
}
