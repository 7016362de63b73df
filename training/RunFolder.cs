using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training;

/// <summary>The files of a run.</summary>
/// <param name="Path">The folder.</param>
internal sealed record RunFolder(string Path)
{
    public string Recipe => System.IO.Path.Combine(Path, "recipe.yaml");

    public string Adapter => System.IO.Path.Combine(Path, "adapter");

    public string Checkpoints => System.IO.Path.Combine(Path, "checkpoints");

    public string Metrics => System.IO.Path.Combine(Path, "metrics.jsonl");

    public string Report => System.IO.Path.Combine(Path, "report.md");

    public string Log => System.IO.Path.Combine(Path, "log.txt");

    // A run that was stopped before its first checkpoint: there is nothing yet that starting anew could lose.
    private bool HasJustBegun => Directory.Exists(Checkpoints) && !Directory.Exists(Adapter);

    private bool HasCheckpoints => new CheckpointStore(Checkpoints).HasAny;

    /// <summary>Refuses a folder whose content this run must not replace.</summary>
    /// <param name="resume">Whether a run in it goes on.</param>
    /// <param name="force">Whether a run in it may be replaced.</param>
    /// <exception cref="LortaException">LRT102: something is there already; LRT563: nothing there can go on.</exception>
    public void Check(bool resume, bool force)
    {
        if (force || !Holds(Path)) return;
        if (!resume) throw FileErrors.Exists(Path);
        if (!HasJustBegun && !HasCheckpoints) throw CheckpointErrors.NothingToResume(Path);
    }

    /// <summary>Makes the folder ready for a run that starts anew.</summary>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    public void Begin()
    {
        try
        {
            Clear();
            Directory.CreateDirectory(Checkpoints);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(Path, e);
        }
    }

    private static bool Holds(string folder) => Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any();

    // Only what a run writes: the folder may hold other files.
    private void Clear()
    {
        if (!Directory.Exists(Path)) return;
        foreach (var file in new[] { Recipe, Metrics, Report, Log }) File.Delete(file);
        foreach (var folder in new[] { Adapter, Checkpoints }) if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
