using System.Globalization;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Checkpoints;

/// <summary>The checkpoints of a run folder: the last two and the best.</summary>
internal sealed partial class CheckpointStore
{
    private const int Kept = 2;
    private readonly string _folder;
    private readonly Action<string>? _note;

    /// <summary>Opens the checkpoints of a run.</summary>
    /// <param name="folder">The folder <c>checkpoints/</c> of a run; it need not exist.</param>
    /// <param name="note">Told about files that are skipped.</param>
    public CheckpointStore(string folder, Action<string>? note = null) => (_folder, _note) = (folder, note);

    /// <summary>Whether there are checkpoints, whole or damaged.</summary>
    public bool HasAny => Files().Any();

    /// <summary>Whether a folder of checkpoints holds a file of that name.</summary>
    public static bool IsFile(string name) => FileName().IsMatch(name);

    /// <summary>The file of a step.</summary>
    public string PathOf(long step) => Path.Join(_folder, string.Create(CultureInfo.InvariantCulture, $"step-{step:D8}.safetensors"));

    /// <summary>Writes a checkpoint, then removes what is neither one of the last two nor the best.</summary>
    public void Save(Checkpoint checkpoint)
    {
        CheckpointFile.Save(PathOf(checkpoint.Step), checkpoint);
        foreach (var (path, _) in Files().Where(file => file.Step != checkpoint.BestStep && file.Step != checkpoint.Step).Skip(Kept - 1))
            FileSteps.Delete(path);
    }

    /// <summary>The newest checkpoint that is whole; null if there is no file yet.</summary>
    /// <exception cref="LortaException">LRT560: there are files, and all are damaged.</exception>
    public Checkpoint? Newest()
    {
        var files = Files().ToList();
        foreach (var (path, _) in files)
        {
            try
            {
                return CheckpointFile.Load(path);
            }
            catch (LortaException e)
            {
                _note?.Invoke($"Skipped: {e.Message}");
            }
        }
        return files.Count == 0
            ? null
            : throw CheckpointErrors.Damaged(files[0].Path, $"is damaged, and so are all of the {files.Count} checkpoints of this run");
    }

    /// <summary>The file of the newest checkpoint; null if there is no file yet. An older one is another state, which nobody asked
    /// for.</summary>
    /// <exception cref="LortaException">LRT105, LRT560: it is damaged; names an older one that is whole.</exception>
    public string? NewestPath()
    {
        var files = Files().ToList();
        if (files.Count == 0) return null;
        try
        {
            CheckpointFile.Load(files[0].Path);
            return files[0].Path;
        }
        catch (LortaException e)
        {
            throw CheckpointErrors.NewestDamaged(e, PathOf(Newest()!.Step));
        }
    }

    /// <summary>The checkpoint of a step.</summary>
    /// <exception cref="LortaException">LRT101: none; LRT105, LRT560: damaged.</exception>
    public Checkpoint At(long step) => CheckpointFile.Load(PathOf(step));

    /// <summary>The newest whole checkpoint if it belongs to this very run, or to one that this run extends; null if there is none
    /// yet.</summary>
    /// <param name="recipe">The recipe to continue with.</param>
    /// <param name="threads">The threads to continue with; null accepts any.</param>
    /// <exception cref="LortaException">LRT560: all are damaged; LRT561: another recipe, with the keys that differ; LRT562: another thread
    /// count.</exception>
    public Checkpoint? Resume(RecipeIdentity recipe, int? threads)
    {
        if (Newest() is not { } checkpoint) return null;
        if (checkpoint.Recipe != recipe && !recipe.Extends(checkpoint.Recipe))
            throw CheckpointErrors.OtherRecipe(_folder, RecipeIdentity.DifferingKeys(checkpoint.Recipe, recipe));
        if (threads is { } now && now != checkpoint.Threads) throw CheckpointErrors.OtherThreads(_folder, checkpoint.Threads, now);
        return checkpoint;
    }

    // Newest first.
    private IEnumerable<(string Path, long Step)> Files()
    {
        if (!Directory.Exists(_folder)) return [];
        return
        [
            .. from path in Directory.EnumerateFiles(_folder)
               let name = FileName().Match(Path.GetFileName(path))
               where name.Success
               let step = long.Parse(name.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
               orderby step descending
               select (path, step),
        ];
    }

    [GeneratedRegex(@"^step-(\d{8,18})\.safetensors$")]
    private static partial Regex FileName();
}
