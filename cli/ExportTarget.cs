using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Cli;

/// <summary>Where an exported model goes: a file, or a folder with everything that lay beside the model.</summary>
/// <param name="File">The model's file.</param>
/// <param name="SourceFolder">The folder that is carried along; null for a single file.</param>
/// <param name="Folder">The folder that is written; null for a single file.</param>
internal sealed record ExportTarget(string File, string? SourceFolder, string? Folder)
{
    public bool Exists => Folder is null ? System.IO.File.Exists(File) : Directory.Exists(Folder);

    /// <summary>Bytes of the model and its data file.</summary>
    public long Bytes => new[] { File, $"{File}.data" }.Where(System.IO.File.Exists).Sum(path => new FileInfo(path).Length);

    public static ExportTarget Of(string argument, Model model, string output)
    {
        var target = Directory.Exists(argument) ? new ExportTarget(Path.Combine(output, model.FileName), argument, output) : new ExportTarget(output, null, null);
        if (Path.GetFullPath(target.File) == Path.GetFullPath(model.Path)) throw ExportErrors.OntoItself(model.Path);
        return target;
    }

    public void Write(Model model)
    {
        if (Folder is null)
        {
            model.Save(File);
            return;
        }
        AtomicFolder.Write(Folder, folder =>
        {
            foreach (var path in Directory.EnumerateFiles(SourceFolder!).Where(path => !IsModel(path, model))) System.IO.File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
            model.Save(Path.Combine(folder, model.FileName));
        });
    }

    // The model and its data files are written anew.
    private static bool IsModel(string path, Model model) =>
        Path.GetFileName(path) == model.FileName || model.Graph.Initializers.Any(value => value.IsExternal && value.Constant!.File is { } file && Path.GetFullPath(file.Path) == Path.GetFullPath(path));
}

/// <summary>Failures of exports.</summary>
internal static class ExportErrors
{
    public static LortaException OntoItself(string path) =>
        new("LRT701", $"{path}: would be overwritten by its own folded form.", "Name another output.") { IsUsage = true };
}
