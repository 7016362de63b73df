using System.Globalization;
using CsvHelper;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>The file <c>metrics.csv</c> of a run: one row for each step and evaluation, one column for each number.</summary>
internal static class MetricsTable
{
    /// <summary>Writes the lines of <c>metrics.jsonl</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="lines">The lines.</param>
    public static void Write(string path, IReadOnlyList<MetricsLine> lines) => AtomicFile.WriteText(path, Text(lines));

    /// <inheritdoc cref="Write"/>
    public static string Text(IReadOnlyList<MetricsLine> lines)
    {
        string[] metrics = [.. lines.SelectMany(line => line.EvaluationEvent?.Metrics.Keys ?? []).Distinct(StringComparer.Ordinal)];
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using var table = CsvWriter.Create(text, new CsvWriterOptions { NewLine = "\n" }, leaveOpen: true);
        Row(table, ["kind", "step", "epoch", "loss", "learningRate", "gradNorm", "samplesPerSecond", "tokensPerSecond", "memoryBytes",
            .. metrics]);
        foreach (var line in lines)
        {
            if (line.StepEvent is { } step)
                Row(table, ["step", step.Step, step.Epoch, step.Loss, step.LearningRate, step.GradNorm, step.SamplesPerSecond,
                    step.TokensPerSecond, step.MemoryBytes, .. metrics.Select(_ => (object?)null)]);
            else if (line.EvaluationEvent is { } evaluation)
                Row(table, ["evaluation", evaluation.Step, null, evaluation.Loss, null, null, null, null, null,
                    .. metrics.Select(name => evaluation.Metrics.TryGetValue(name, out var value) ? (object?)value : null)]);
        }
        table.Flush();
        return text.ToString();
    }

    private static void Row(CsvWriter table, IReadOnlyList<object?> cells) =>
        table.WriteRecord([.. cells.Select(cell => Convert.ToString(cell, CultureInfo.InvariantCulture) ?? string.Empty)]);
}
