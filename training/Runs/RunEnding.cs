using System.Globalization;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>How a run ended where that is not its last step.</summary>
/// <param name="Sentence">What happened; null where all steps were made.</param>
internal sealed record RunEnding(string? Sentence)
{
    /// <summary>The command that continues the run; null where it ended by itself.</summary>
    public string? Command { get; init; }

    /// <summary>How the run of a report ended.</summary>
    public static RunEnding Of(TrainingReport report, RunState run, RunPlan plan, RunFolder folder, OrtEngineOptions settings)
    {
        var loss = run.Step > 0 ? $" (training loss {Phrases.Number(run.Loss)})" : string.Empty;
        var at = string.Create(CultureInfo.InvariantCulture, $"at step {run.Step} of {plan.Steps}{loss}");
        return report.Ending switch
        {
            TrainingEnding.Stopped => new($"Stopped {at}. Continue with:")
            {
                Command = $"lorta train {ShellPath.Of(folder.Recipe)} --resume{Options(settings)}",
            },
            TrainingEnding.EarlyStopped => new($"Stopped early {at}: {plan.Patience(run)}."),
            _ => new(Sentence: null),
        };
    }

    // A recipe states the device; these are of the command line alone, and other ones would give other bytes.
    private static string Options(OrtEngineOptions settings) => string.Concat(
        settings.Threads > 0 ? string.Create(CultureInfo.InvariantCulture, $" --threads {settings.Threads}") : string.Empty,
        settings.AllowTf32 ? " --allow-tf32" : string.Empty);
}
