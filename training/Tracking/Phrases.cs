using System.Globalization;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>A run's numbers in words, the same in the log, on the screen and in the report.</summary>
internal static class Phrases
{
    public static string Of(StepRecord r) => string.Join("  ", [Step(r), Loss(r), LearningRate(r), Samples(r), Tokens(r), Bytes(r.MemoryBytes), .. Left(r)]);

    /// <summary>The same numbers for a line that may not have room for all of them: those that matter most come first.</summary>
    public static IReadOnlyList<string> ByWeight(StepRecord r) => [Step(r), Loss(r), .. Left(r), Tokens(r), LearningRate(r), Bytes(r.MemoryBytes), Samples(r)];

    public static string Of(EvaluationRecord r) => string.Create(CultureInfo.InvariantCulture,
        $"evaluation after step {r.Step}  loss {r.Loss:0.0000}{string.Concat(r.Metrics.Select(metric => $"  {metric.Key} {Number(metric.Value)}"))}");

    public static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB");

    public static string Duration(double seconds) => TimeSpan.FromSeconds(Math.Round(seconds)).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);

    private static string Step(StepRecord r) => string.Create(CultureInfo.InvariantCulture, $"step {r.Step}/{r.Steps}");

    private static string Loss(StepRecord r) => string.Create(CultureInfo.InvariantCulture, $"loss {r.Loss:0.0000}");

    private static string LearningRate(StepRecord r) => string.Create(CultureInfo.InvariantCulture, $"lr {r.LearningRate:0.##E+0}");

    private static string Samples(StepRecord r) => string.Create(CultureInfo.InvariantCulture, $"{r.SamplesPerSecond:0.#} samples/s");

    private static string Tokens(StepRecord r) => string.Create(CultureInfo.InvariantCulture, $"{r.TokensPerSecond:0} tokens/s");

    private static string[] Left(StepRecord r) => r.SecondsLeft is { } left ? [$"{Duration(left)} left"] : [];
}
