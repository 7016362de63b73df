using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Messages;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>A run's numbers in words, the same in the log, on the screen and in the report.</summary>
[Experimental(Unsettled.Id)]
public static class Phrases
{
    /// <summary>A step.</summary>
    /// <param name="r">The step.</param>
    public static string Of(StepEvent r) =>
        string.Join("  ", [Step(r), Loss(r), LearningRate(r), Samples(r), Tokens(r), Bytes(r.MemoryBytes), .. Left(r)]);

    /// <summary>The same numbers for a line that may not have room for all of them: those that matter most come first.</summary>
    /// <param name="r">The step.</param>
    public static IReadOnlyList<string> ByWeight(StepEvent r) =>
        [Step(r), Loss(r), .. Left(r), Tokens(r), LearningRate(r), Bytes(r.MemoryBytes), Samples(r)];

    /// <summary>An evaluation.</summary>
    /// <param name="r">The evaluation.</param>
    public static string Of(EvaluationEvent r) => string.Create(CultureInfo.InvariantCulture,
        $"{(r.Step == 0 ? "evaluation before step 1" : $"evaluation after step {r.Step}")}  loss "
            + $"{r.Loss:0.0000}{string.Concat(r.Metrics.Select(metric => $"  {metric.Key} {Number(metric.Value)}"))}");

    /// <summary>How far a piece of work is, and how long it still takes, or has taken where that is not known yet.</summary>
    /// <param name="work">The work.</param>
    /// <param name="seconds">Since it began.</param>
    public static string Of(WorkProgress work, double seconds) => string.Join("  ", Parts(work, seconds));

    /// <summary>The same for a line that may not have room for all of it.</summary>
    /// <param name="work">The work.</param>
    /// <param name="seconds">Since it began.</param>
    public static IReadOnlyList<string> Parts(WorkProgress work, double seconds) =>
    [
        work.All > 0 ? $"{Integer(work.Done)} of {Integer(work.All)} {work.What}" : work.What,
        work.Done > 0 && !work.IsDone ? $"{Duration(seconds / work.Done * (work.All - work.Done))} left" : Duration(seconds),
    ];

    /// <summary>What became of the entries of a data file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="counts">The counts.</param>
    /// <param name="isPacked">Whether rows were cut from all entries together.</param>
    public static string Of(string path, DataCounts counts, bool isPacked)
    {
        var parts = new List<string> { Plural.Of(counts.Rows, "entry", "entries") };
        if (isPacked)
            parts.Add($"packed into rows of {Tokens(counts.MaxLength)} ({Integer(counts.TokensCut)} at the end dropped)");
        else if (counts.Cut > 0)
            parts.Add($"{Integer(counts.Cut)} cut to {Tokens(counts.MaxLength)} ({Tokens(counts.TokensCut)} lost)");
        else parts.Add($"none cut to {Tokens(counts.MaxLength)}");
        if (counts.WithoutLabel > 0)
            parts.Add(
                $"{Plural.Of(counts.WithoutLabel, isPacked ? "row" : "entry", isPacked ? "rows" : "entries")} dropped since no label "
                    + "is left to learn");
        if (counts.Empty > 0) parts.Add($"{Integer(counts.Empty)} with an empty text");
        return $"{Path.GetFileName(path)}: {string.Join(", ", parts)}";
    }

    /// <summary>A number of rows.</summary>
    internal static string Rows(long count) => Plural.Of(count, "row", "rows");

    /// <summary>What it means that a run was made longer.</summary>
    internal static string Extended(long step) => string.Create(CultureInfo.InvariantCulture,
        $"Extended after step {step}: the schedule changed there, so the bytes differ from those of one uninterrupted run.");

    /// <summary>A number with four significant digits; none is lost in front of the decimal point.</summary>
    /// <param name="value">The number.</param>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1e15 or < 1e-3 => value.ToString("0.###e0", CultureInfo.InvariantCulture),
        >= 1e3 => value.ToString("N0", CultureInfo.InvariantCulture),
        _ => double.IsNaN(value) ? "NaN" : ((decimal)value).ToString("G4", CultureInfo.InvariantCulture),
    };

    /// <summary>A learning rate.</summary>
    internal static string Rate(double value) => value == 0 ? "0" : value.ToString("0.##e0", CultureInfo.InvariantCulture);

    internal static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N0} MB");

    internal static string Duration(double seconds) =>
        TimeSpan.FromSeconds(Math.Round(seconds)).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);

    private static string Step(StepEvent r) => string.Create(CultureInfo.InvariantCulture, $"step {r.Step}/{r.Steps}");

    private static string Loss(StepEvent r) => string.Create(CultureInfo.InvariantCulture, $"loss {r.Loss:0.0000}");

    private static string LearningRate(StepEvent r) => $"lr {Rate(r.LearningRate)}";

    private static string Samples(StepEvent r) => string.Create(CultureInfo.InvariantCulture, $"{r.SamplesPerSecond:0.#} samples/s");

    private static string Tokens(StepEvent r) => string.Create(CultureInfo.InvariantCulture, $"{r.TokensPerSecond:N0} tokens/s");

    private static string[] Left(StepEvent r) => r.SecondsLeft is { } left ? [$"{Duration(left)} left"] : [];

    private static string Tokens(long count) => Plural.Of(count, "token", "tokens");

    private static string Integer(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
