using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Cli;

/// <summary>Where an exported model goes: a file, or a folder with everything that lay beside the model.</summary>
/// <param name="Source">The model that is exported.</param>
/// <param name="File">The file of the result.</param>
/// <param name="SourceFolder">The folder that is carried along; null for a single file.</param>
/// <param name="Folder">The folder that is written; null for a single file.</param>
internal sealed record ExportTarget(Model Source, string File, string? SourceFolder, string? Folder)
{
    /// <summary>Bytes of the model and its data file.</summary>
    public long Bytes => new[] { File, $"{File}.data" }.Where(System.IO.File.Exists).Sum(path => new FileInfo(path).Length);

    public static ExportTarget Of(string argument, Model source, string output) =>
        Directory.Exists(argument) ? new(source, Path.Combine(output, source.FileName), argument, output) : new(source, output, null, null);

    /// <summary>Refuses a place that is taken, before any work is done for it.</summary>
    /// <exception cref="LortaException">LRT102, LRT701: the place is taken.</exception>
    public void Check(Model model, bool force) => new OutputGuard(force, Source).Check(Folder is null ? model.FilesAt(File) : [Folder]);

    /// <summary>Writes the exported model.</summary>
    /// <exception cref="LortaException">LRT102, LRT107, LRT701: the place is taken.</exception>
    public void Write(Model model, bool force)
    {
        Check(model, force);
        if (Folder is null)
        {
            model.Save(File);
            return;
        }
        var carried = FolderFiles.In(SourceFolder!, except: Folder).Where(name => IsCarried(Path.Combine(SourceFolder!, name))).ToList();   // the output may lie in the source
        AtomicFolder.Write(Folder, [.. carried, .. model.FilesAt(Source.FileName)], folder =>
        {
            foreach (var name in carried)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
                System.IO.File.Copy(Path.Combine(SourceFolder!, name), Path.Combine(folder, name));
            }
            model.Save(Path.Combine(folder, Source.FileName));
        });
    }

    // The model and its data files are written anew; a link to a folder stays behind.
    private bool IsCarried(string path) => RealPath.HasFile(path) && !Source.Files.Any(file => Path.GetFullPath(file) == Path.GetFullPath(path));
}
