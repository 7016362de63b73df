using System.Text;
using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Writes files so that they appear whole or not at all: a temporary name in the same folder, flush to disk, rename.</summary>
internal static class AtomicFile
{
    /// <summary>Lets <paramref name="write"/> fill <paramref name="path"/>; on any failure the old file, or none, stays.</summary>
    /// <exception cref="LortaException">LRT104: the folder cannot be written or the disk is full.</exception>
    public static void Write(string path, Action<FileStream> write) => Write([(path, write)]);

    /// <summary>Writes several files that belong together: none takes its place before all are whole.</summary>
    /// <exception cref="LortaException">LRT104: the folder cannot be written or the disk is full.</exception>
    public static void Write(IReadOnlyList<(string Path, Action<FileStream> Write)> files)
    {
        var temporary = files.Select(file => $"{Path.GetFullPath(file.Path)}.{Environment.ProcessId}.tmp").ToArray();
        var current = files[0].Path;
        var made = new List<string>();
        try
        {
            for (var i = 0; i < files.Count; i++)
            {
                current = files[i].Path;
                Fill(temporary[i], files[i].Write);
            }
            for (var i = 0; i < files.Count; i++)
            {
                current = files[i].Path;
                var isNew = !File.Exists(current);
                File.Move(temporary[i], Path.GetFullPath(current), overwrite: true);
                if (isNew) made.Add(current);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            foreach (var path in made) File.Delete(path);
            throw FileErrors.NotWritable(current, e);
        }
        finally
        {
            foreach (var path in temporary.Where(File.Exists)) File.Delete(path);
        }
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private static void Fill(string path, Action<FileStream> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        write(stream);
        stream.Flush(flushToDisk: true);
    }
}
