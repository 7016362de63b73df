using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Training.Checkpoints;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Opens whatever holds an adapter: an adapter folder, a run folder, a run's folder of checkpoints or one of its
/// checkpoints.</summary>
public static class StoredAdapters
{
    /// <summary>Opens an adapter.</summary>
    /// <param name="path">An adapter folder; a run folder (its <c>adapter/</c>, or where that was not written yet its newest
    /// checkpoint); a run's <c>checkpoints/</c> (the newest, which must be whole); or a checkpoint.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    /// <exception cref="LortaException">LRT101, LRT105, LRT309, LRT313: missing or damaged; LRT325: it holds no adapter; LRT560: a
    /// damaged checkpoint.</exception>
    public static Adapter Load(string path, LortaCatalog? catalog = null) => Of(path) switch
    {
        { Checkpoint: { } file, Run: var run } => OfCheckpoint(run, file, catalog ?? LortaCatalog.Default),
        { Folder: var folder } => Adapter.Load(folder),
    };

    /// <summary>The files that are read.</summary>
    /// <param name="path">As in <see cref="Load"/>.</param>
    /// <param name="catalog">Families to choose from; null = <see cref="LortaCatalog.Default"/>.</param>
    public static IReadOnlyList<string> FilesOf(string path, LortaCatalog? catalog = null)
    {
        catalog ??= LortaCatalog.Default;
        var (folder, run, checkpoint) = Of(path);
        if (checkpoint is null) return [.. Adapter.FilesOf(folder)];
        return
        [
            checkpoint,
            .. Adapter.FilesOf(run.Adapter),
            .. HasAdapter(run.Adapter) ? [] : RecipeFiles.Of(RecipeFile.Load(run.Recipe, catalog), run.Recipe, catalog),
        ];
    }

    /// <summary>The recipe of the run that an adapter is of; null where it does not lie in a run's folder.</summary>
    /// <param name="path">As in <see cref="Load"/>.</param>
    public static string? RecipeOf(string path)
    {
        var place = Of(path);
        var run = place.Checkpoint is null ? RunOf(place.Folder) : place.Run;
        return (place.Checkpoint is not null || IsAdapterOf(run, place.Folder)) && RealPath.HasFile(run.Recipe) ? run.Recipe : null;
    }

    private static bool IsAdapterOf(RunFolder run, string folder) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)).Equals(run.Adapter, RealPath.Comparison);

    private static (string Folder, RunFolder Run, string? Checkpoint) Of(string path)
    {
        if (PathKinds.Of(RealPath.Target(path)) == PathKind.File) return OfFile(path);
        if (!Directory.Exists(path)) throw FileErrors.NotFound(path);
        var run = new RunFolder(path);
        if (HoldsPart(path)) return (path, run, null);
        if (File.Exists(run.Recipe) && HasAdapter(run.Adapter)) return (run.Adapter, run, null);
        if (new CheckpointStore(run.Checkpoints).NewestPath() is { } ofRun) return (path, run, ofRun);
        if (new CheckpointStore(path).NewestPath() is { } here) return (path, RunOf(path), here);
        throw AdapterErrors.NoAdapter(path);
    }

    private static (string Folder, RunFolder Run, string? Checkpoint) OfFile(string file)
    {
        var (name, folder) = (Path.GetFileName(file), Path.GetDirectoryName(Path.GetFullPath(file))!);
        if (CheckpointStore.IsFile(name)) return (folder, RunOf(folder), file);
        return Adapter.IsFile(name) && HasAdapter(folder) ? (folder, new RunFolder(folder), null) : throw AdapterErrors.NoAdapter(file);
    }

    private static RunFolder RunOf(string folder) =>
        new(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))!);

    // What lacks one of its files is an adapter folder all the same, and opening it says which.
    private static bool HoldsPart(string folder) => Adapter.FilesOf(folder).Any(RealPath.HasFile);

    private static bool HasAdapter(string folder) => RealPath.HasFile(Path.Combine(folder, Adapter.ConfigFile));

    // All adapters of a run differ in their numbers alone; that of a run which never came to write one is made from its recipe.
    private static Adapter OfCheckpoint(RunFolder run, string file, LortaCatalog catalog)
    {
        var state = CheckpointFile.Load(file).State;
        if (!HasAdapter(run.Adapter)) return OfRecipe(run, state, catalog) with { Path = file };
        var last = Adapter.Load(run.Adapter);
        var tensors = last.Tensors.ToDictionary(
            pair => pair.Key, pair => state.GetValueOrDefault(pair.Key) ?? pair.Value, StringComparer.Ordinal);
        return last with { Tensors = tensors, Path = file };
    }

    private static Adapter OfRecipe(
        RunFolder run, IReadOnlyDictionary<string, OnnxTensor> state, LortaCatalog catalog)
    {
        var recipe = RecipeFile.Load(run.Recipe, catalog);
        var model = UnderstoodModel.Of(OnnxModel.Load(recipe.Model));
        var options = RecipeMapping.ToOptions(recipe, state);
        if (recipe.Adapter.From is { } from && AdapterPlan.Of(model, options.Adapter, catalog).Factors.Any(factor => !factor.IsTrained))
        {
            // Frozen factors, which no checkpoint holds, are those of the adapter that was continued.
            var values = PreparedTask.ValuesOf(Load(from, catalog), model, catalog).ToDictionary(StringComparer.Ordinal);
            foreach (var (name, tensor) in state) values[name] = tensor;
            options = options with { Values = values };
        }
        return TrainingGraphs.Build(model, options, catalog).AdapterOf(state);
    }
}
