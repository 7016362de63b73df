using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The files of a run.</summary>
/// <param name="Path">The folder.</param>
public sealed record RunFolder(string Path)
{
    /// <summary>The resolved recipe, which resumes the run.</summary>
    public string Recipe => System.IO.Path.Combine(Path, "recipe.yaml");

    /// <summary>The adapter folder.</summary>
    public string Adapter => System.IO.Path.Combine(Path, "adapter");

    /// <summary>The folder of checkpoints.</summary>
    public string Checkpoints => System.IO.Path.Combine(Path, "checkpoints");

    /// <summary>Every step and evaluation, a JSON object in each line.</summary>
    public string Metrics => System.IO.Path.Combine(Path, "metrics.jsonl");

    /// <summary>The report, in Markdown.</summary>
    public string Report => System.IO.Path.Combine(Path, "report.md");

    /// <summary>The report as a page for a browser.</summary>
    public string Page => System.IO.Path.Combine(Path, "report.html");

    /// <summary>The metrics as CSV.</summary>
    public string Table => System.IO.Path.Combine(Path, "metrics.csv");

    /// <summary>The folder of TensorBoard's event files.</summary>
    public string Events => System.IO.Path.Combine(Path, "tensorboard");

    /// <summary>What was shown.</summary>
    public string Log => System.IO.Path.Combine(Path, "log.txt");

    private string[] Files => [Recipe, Metrics, Report, Page, Table, Log];

    // A run that was stopped before its first checkpoint: there is nothing yet that starting anew could lose.
    private bool HasJustBegun => Directory.Exists(Checkpoints) && !Directory.Exists(Adapter);

    private bool HasCheckpoints => new CheckpointStore(Checkpoints).HasAny;

    /// <summary>Refuses a folder whose content this run must not replace.</summary>
    /// <param name="resume">Whether a run in it is continued.</param>
    /// <param name="force">Whether a run in it may be replaced.</param>
    /// <param name="inputs">The files that the run reads.</param>
    /// <exception cref="LortaException">LRT102: something is there already; LRT563: nothing there can be continued; LRT565: the run's own
    /// recipe would start it anew; LRT107, LRT123: something in its places is not a run's; LRT701: an input.</exception>
    internal void Check(bool resume, bool force, IReadOnlyList<string> inputs)
    {
        CheckInputs(resume, inputs);
        if (!Holds()) return;
        if (!force && !resume) throw FileErrors.Exists(Path);
        CheckPlaces();
        if (!force && !HasJustBegun && !HasCheckpoints) throw CheckpointErrors.NothingToResume(Path);
    }

    /// <summary>Makes the folder ready for a run that starts anew.</summary>
    /// <param name="recipe">The file that describes the run; where it is the folder's own recipe, it stays until it is replaced.</param>
    /// <exception cref="LortaException">LRT104: not writable.</exception>
    internal void Begin(string? recipe = null)
    {
        try
        {
            Clear(keepsRecipe: recipe is not null && IsOwnRecipe(recipe));
            FileSteps.CreateFolder(Checkpoints);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(Path, e);
        }
    }

    // A run may be resumed by its own recipe.
    private void CheckInputs(bool resume, IReadOnlyList<string> inputs)
    {
        if (!resume && inputs.Any(IsOwnRecipe)) throw CheckpointErrors.OwnRecipe(Recipe);
        var guard = new OutputGuard(force: true, inputs.Where(input => !(resume && IsOwnRecipe(input))));
        foreach (var place in Files.Append(Adapter).Append(Checkpoints).Append(Events)) guard.CheckInputs(place);
    }

    /// <summary>Whether a file is this run's own recipe.</summary>
    internal bool IsOwnRecipe(string file) => RealPath.Target(file).Equals(RealPath.Target(Recipe), RealPath.Comparison);

    // A run writes known names only; in their places nothing else is cleared or replaced.
    private void CheckPlaces()
    {
        var kind = PathKinds.Of(RealPath.Target(Path));
        if (kind != PathKind.Folder) throw FileErrors.NotReplaceable(Path, kind);
        foreach (var file in Files)
            if (PathKinds.Of(file) is var found && found is not (PathKind.Nothing or PathKind.File))
                throw FileErrors.NotReplaceable(file, found);
        AtomicFolder.CheckReplaceable(Adapter, Adapter, GraphGen.Adapter.IsFile);
        AtomicFolder.CheckReplaceable(Checkpoints, Checkpoints, CheckpointStore.IsFile);
        AtomicFolder.CheckReplaceable(Events, Events, EventLog.IsFile);
    }

    // What only the lock or a killed process left is no content.
    private bool Holds() => PathKinds.Of(RealPath.Target(Path)) switch
    {
        PathKind.Nothing => PathKinds.Of(Path) != PathKind.Nothing,   // a link to nothing
        PathKind.Folder => Directory.EnumerateFileSystemEntries(Path).Select(System.IO.Path.GetFileName)
            .Any(name => name != RunLock.FileName && !Leftovers.Is(name!)),
        _ => true,
    };

    // Only what a run writes, and only that: the folder may hold other files. The checkpoints go first: without them nothing is resumed
    // from half a run.
    private void Clear(bool keepsRecipe)
    {
        if (!Directory.Exists(Path)) return;
        Leftovers.Remove(Path);
        foreach (var folder in new[] { Checkpoints, Adapter, Events }.Where(Directory.Exists)) AtomicFolder.Delete(folder);
        foreach (var file in Files.Where(file => !keepsRecipe || file != Recipe)) FileSteps.Delete(file);
    }
}
