using System.Globalization;
using System.Text;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>The file <c>report.md</c> of a run: result, course of the loss, evaluations, environment.</summary>
internal static class RunReport
{
    private const int Rows = 20;
    private const int Columns = 60;
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Writes the report.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recipe">The resolved recipe.</param>
    /// <param name="result">What the run came to.</param>
    /// <param name="lines">The run's metrics, from <see cref="MetricsLog.Read"/>.</param>
    /// <param name="environment">Where it was computed.</param>
    public static void Write(string path, Recipe recipe, RunResult result, IReadOnlyList<MetricsLine> lines, RunEnvironment environment) =>
        AtomicFile.WriteText(path, Text(recipe, result, lines, environment));

    /// <inheritdoc cref="Write"/>
    public static string Text(Recipe recipe, RunResult result, IReadOnlyList<MetricsLine> lines, RunEnvironment environment)
    {
        var text = new StringBuilder();
        var (steps, evaluations) = (lines.Select(line => line.StepRecord).OfType<StepRecord>().ToList(),
            lines.Select(line => line.EvaluationRecord).OfType<EvaluationRecord>().ToList());
        text.Append(CultureInfo.InvariantCulture, $"# {recipe.Adapter.Method} on {Path.GetFileName(recipe.Model)}: {recipe.Task}\n\n");
        Table(text, ["", ""], Summary(recipe, result));
        if (steps.Count > 0) Course(text, steps);
        if (evaluations.Count > 0) Evaluations(text, evaluations);
        text.Append("## Environment\n\n");
        Table(text, ["", ""],
        [
            ["machine", environment.Machine],
            ["system", environment.System],
            [".NET", environment.DotNet],
            ["runtime", environment.Runtime],
            ["device", $"{environment.Device}, {environment.Threads} threads"],
        ]);
        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>Values as a line of bars, lowest to highest; at most <paramref name="width"/> of them, evenly picked.</summary>
    public static string Sparkline(IReadOnlyList<double> values, int width = Columns)
    {
        var picked = Picked(values, width).Where(double.IsFinite).ToList();
        if (picked.Count == 0) return string.Empty;
        var (low, high) = (picked.Min(), picked.Max());
        return string.Concat(picked.Select(value => Bars[high > low
            ? (int)Math.Round((value - low) / (high - low) * (Bars.Length - 1))
            : 0]));
    }

    private static IEnumerable<string[]> Summary(Recipe recipe, RunResult result) =>
    [
        ["model", $"`{recipe.Model}`"],
        ["adapter",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{recipe.Adapter.Method}, rank {recipe.Adapter.Rank}, alpha {recipe.Adapter.Alpha}, on "
                    + $"{string.Join(", ", recipe.Adapter.Targets ?? [])}, layers {recipe.Adapter.Layers}")],
        ["trainable parameters", result.Trainable.ToString("N0", CultureInfo.InvariantCulture)],
        ["seed", recipe.Seed.ToString(CultureInfo.InvariantCulture)],
        ["steps", result.Steps.ToString(CultureInfo.InvariantCulture)],
        ["loss", result.Loss is { } loss ? Phrases.Number(loss) : "– (no validation data)"],
        ["training loss, last step", Phrases.Number(result.TrainingLoss)],
        .. result.Metrics.Select(metric => new[] { metric.Key, Phrases.Number(metric.Value) }),
        ["data", Phrases.Of(recipe.Data.Train, result.Data, recipe.Data)],
        ["time", Phrases.Duration(result.Seconds)],
        ["speed",
            string.Create(CultureInfo.InvariantCulture, $"{result.SamplesPerSecond:0.#} samples/s, {result.TokensPerSecond:0} tokens/s")],
        ["peak memory", Phrases.Bytes(result.PeakMemoryBytes)],
        ["adapter folder", $"`{result.Adapter}`"],
    ];

    private static void Course(StringBuilder text, List<StepRecord> steps)
    {
        text.Append(CultureInfo.InvariantCulture, $"## Loss\n\n`{Sparkline([.. steps.Select(step => step.Loss)])}`\n\n");
        Table(text, ["step", "epoch", "loss", "learning rate", "gradient norm"], Picked(steps, Rows).Select(step => new[]
        {
            step.Step.ToString(CultureInfo.InvariantCulture),
            step.Epoch.ToString("0.00", CultureInfo.InvariantCulture),
            Phrases.Number(step.Loss),
            step.LearningRate.ToString("0.##E+0", CultureInfo.InvariantCulture),
            step.GradNorm is { } norm ? Phrases.Number(norm) : "–",
        }));
    }

    private static void Evaluations(StringBuilder text, List<EvaluationRecord> evaluations)
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
