using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir.Storage;

namespace LoRTA.Onnx.Export;

/// <summary>Where an exported model goes: a file, or a folder with everything that lay beside the model.</summary>
/// <param name="Source">The model that is exported.</param>
/// <param name="File">The file of the result.</param>
/// <param name="SourceFolder">The folder that is carried along; null for a single file.</param>
/// <param name="Folder">The folder that is written; null for a single file.</param>
public sealed record ExportTarget(OnnxModel Source, string File, string? SourceFolder, string? Folder)
{
    private const string CardOfBase = "README.base.md";

    /// <summary>Further files that the command reads.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Texts of files in the folder that are written anew, by name; a single file has none beside it.</summary>
    private IReadOnlyDictionary<string, string> Texts { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The place that an output means: a folder where a folder is exported, unless the output is called <c>.onnx</c>; else a
    /// file.</summary>
    /// <param name="argument">The model as it was given: a file or a folder.</param>
    /// <param name="source">The model.</param>
    /// <param name="output">The output as it was given.</param>
    public static ExportTarget Of(string argument, OnnxModel source, string output) =>
        Directory.Exists(argument) && !IsModelFile(output)
            ? new(source, Path.Combine(output, source.FileName), argument, output)
            : new(source, FileOf(output, source), null, null);

    /// <summary>The file that an output means: itself, or where it ends in a slash, a file of the source's name in that folder.</summary>
    /// <param name="output">The output as it was given.</param>
    /// <param name="source">The model.</param>
    public static string FileOf(string output, OnnxModel source) =>
        Path.EndsInDirectorySeparator(output) && !IsModelFile(output)
            ? Path.Combine(output, source.FileName)
            : Path.TrimEndingDirectorySeparator(output);

    /// <summary>The same with files in the folder that say what the model is now: its card, and its labels where other tools look for
    /// them.</summary>
    /// <param name="adapter">The adapter that was folded.</param>
    /// <param name="keepsBase">Whether it lies beside the weights.</param>
    /// <exception cref="LortaException">LRT105: the folder's <c>config.json</c> is no JSON object.</exception>
    public ExportTarget Describing(Adapter adapter, bool keepsBase = false)
    {
        if (SourceFolder is not { } source) return this;
        var texts = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            [ModelCard.FileName] = ModelCard.OfModel(adapter, Source.FileName, keepsBase),
        };
        if (adapter.Config.Labels is not { } labels) return this with { Texts = texts };
        var config = Path.Combine(source, ModelConfig.FileName);
        try
        {
            var text = RealPath.HasFile(config) ? System.IO.File.ReadAllText(config) : null;
            texts[ModelConfig.FileName] = ModelLabels.InConfig(text, labels, adapter.Config.Task);
            return this with { Texts = texts };
        }
        catch (JsonException e)
        {
            throw FileErrors.Corrupt(config, $"is not a JSON object ({e.FirstLine()})");
        }
    }

    /// <summary>Refuses a place that is taken, before any work is done for it.</summary>
    /// <param name="force">Whether an existing output may be replaced.</param>
    /// <exception cref="LortaException">LRT102, LRT107, LRT123, LRT124, LRT701: the place is taken.</exception>
    public void Check(bool force)
    {
        var guard = new OutputGuard(force, [.. Source.Files, .. Inputs]);
        if (Folder is null) guard.CheckModel(File);
        else guard.CheckFolder(Folder, IsFile(Carried()));
    }

    /// <summary>Writes the exported model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="force">Whether an existing output may be replaced.</param>
    /// <returns>The files of the model: its own, and that of its data where it has one.</returns>
    /// <exception cref="LortaException">LRT102, LRT107, LRT123, LRT124, LRT701: the place is taken; LRT104: it cannot be
    /// written.</exception>
    public IReadOnlyList<string> Write(OnnxModel model, bool force)
    {
        Check(force);
        if (Folder is null) return model.SaveFiles(File);
        var carried = Carried();
        IReadOnlyList<string> files = [];
        AtomicFolder.Write(Folder, IsFile(carried), folder =>
        {
            foreach (var name in carried)
            {
                var copy = Path.Combine(folder, CopyOf(name, carried));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                System.IO.File.Copy(Path.Combine(SourceFolder!, name), copy);
            }
            foreach (var (name, text) in Texts) AtomicFile.WriteText(Path.Combine(folder, name), text);
            files = model.SaveFiles(Path.Combine(folder, Source.FileName));
        });
        return [.. files.Select(file => Path.Combine(Folder, Path.GetFileName(file)))];
    }

    private static bool IsModelFile(string output) =>
        Path.TrimEndingDirectorySeparator(output).EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    // the output may lie in the source
    private List<string> Carried()
    {
        List<string> carried = [.. FolderFiles.In(SourceFolder!, except: Folder).Where(IsCarried)];
        var source = Path.GetFullPath(SourceFolder!);
        foreach (var path in carried.Select(name => Path.Combine(source, name)))
            if (!ExternalFile.IsOwn(path, source, Source.Path)) throw FileErrors.LeadsOutside(path, RealPath.Target(path));
        return carried;
    }

    // The model and its data files are written anew; links to folders and pipes stay behind, and so does what others are writing.
    private bool IsCarried(string name)
    {
        var path = Path.Combine(SourceFolder!, name);
        return !name.Split('/').Any(Leftovers.Is) && RealPath.HasFile(path) && PathKinds.Of(RealPath.Target(path)) == PathKind.File
            && !Source.Files.Any(file => Path.GetFullPath(file) == Path.GetFullPath(path));
    }

    // The base's card, with its licence, is kept beside the new one.
    private string CopyOf(string name, List<string> carried) =>
        name == ModelCard.FileName && Texts.ContainsKey(name) && !carried.Contains(CardOfBase) ? CardOfBase : name;

    private Func<string, bool> IsFile(List<string> carried) => name => carried.Contains(name)
        || name is ModelCard.FileName or CardOfBase or ModelConfig.FileName
        || name == Source.FileName || DataFile.IsOf(Source.FileName, name);
}
