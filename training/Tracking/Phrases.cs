using System.Globalization;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>A run's numbers in words, the same in the log, on the screen and in the report.</summary>
internal static class Phrases
{
    public static string Of(StepRecord r) => string.Create(CultureInfo.InvariantCulture,
        $"step {r.Step}/{r.Steps}  loss {r.Loss:0.0000}  lr {r.LearningRate:0.##E+0}  {r.SamplesPerSecond:0.#} samples/s  {r.TokensPerSecond:0} tokens/s  {Bytes(r.MemoryBytes)}{Left(r.SecondsLeft)}");

    public static string Of(EvaluationRecord r) => string.Create(CultureInfo.InvariantCulture,
        $"evaluation after step {r.Step}  loss {r.Loss:0.0000}{string.Concat(r.Metrics.Select(metric => $"  {metric.Key} {Number(metric.Value)}"))}");

    public static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    public static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB");

    public static string Duration(double seconds) => TimeSpan.FromSeconds(Math.Round(seconds)).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);

    private static string Left(double? seconds) => seconds is { } left ? $"  {Duration(left)} left" : string.Empty;
}
