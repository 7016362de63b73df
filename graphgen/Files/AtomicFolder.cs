using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Writes folders so that they appear whole or not at all: filled beside their final place, then renamed.</summary>
internal static class AtomicFolder
{
    /// <summary>Lets <paramref name="fill"/> write into a temporary folder that then takes the place of <paramref name="path"/>.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="names">Every file that such a folder may hold, relative with <c>/</c>; an existing folder that holds another one is not replaced.</param>
    /// <param name="fill">Writes into the folder that it is given.</param>
    /// <exception cref="LortaException">LRT107: the folder holds something else; LRT104: the parent folder cannot be written or the disk is full.</exception>
    public static void Write(string path, IReadOnlyCollection<string> names, Action<string> fill)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(full) && FolderFiles.In(full).FirstOrDefault(file => !names.Contains(file)) is { } other) throw FileErrors.HoldsOthers(path, other);
        var (temporary, retired) = ($"{full}.{Environment.ProcessId}.tmp", $"{full}.{Environment.ProcessId}.old");
        try
        {
            Directory.CreateDirectory(temporary);
            fill(temporary);
            if (Directory.Exists(full)) Directory.Move(full, retired);
            Directory.Move(temporary, full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!Directory.Exists(full) && Directory.Exists(retired)) Directory.Move(retired, full);
            throw FileErrors.NotWritable(path, e);
        }
        finally
        {
            Remove(temporary);
            Remove(retired);
        }
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
