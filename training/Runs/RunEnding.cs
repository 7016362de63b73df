using System.Globalization;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>How a run ended where that is not its last step.</summary>
/// <param name="IsStopped">Whether somebody asked for it.</param>
/// <param name="Sentence">What happened and how to go on; null where all steps were made.</param>
internal sealed record RunEnding(bool IsStopped, string? Sentence)
{
    public static RunEnding Of(RunState run, RunPlan plan, bool isStopRequested, RunFolder folder)
    {
        var at = string.Create(
            CultureInfo.InvariantCulture, $"at step {run.Step} of {plan.Steps} (training loss {Phrases.Number(run.Loss)})");
        if (run.Step >= plan.Steps) return new(false, null);
        if (!isStopRequested) return new(false, $"Stopped early {at}: {plan.Patience(run)}.");
        return new(true, $"Stopped {at}. Continue with: lorta train {Quoted(Shown(folder.Recipe))} --resume");
    }

    // From where the user is, if the run lies below.
    private static string Shown(string path)
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    private static string Quoted(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
