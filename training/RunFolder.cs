using LoRTA.Onnx.GraphGen.Errors;

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

    /// <summary>Makes the folder ready for a run that starts anew.</summary>
    /// <exception cref="LortaException">LRT102: a run is there already; LRT104: not writable.</exception>
    public void Begin(bool force)
    {
        try
        {
            var isTaken = Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any();
            if (isTaken && !force) throw FileErrors.Exists(Path);
            if (isTaken) Clear();
            Directory.CreateDirectory(Checkpoints);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(Path, e);
        }
    }

    // Only what a run writes: the folder may hold other files.
    private void Clear()
    {
        foreach (var file in new[] { Recipe, Metrics, Report, Log }) File.Delete(file);
        foreach (var folder in new[] { Adapter, Checkpoints }) if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
