using System.Text;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Writes files so that they appear whole or not at all: a temporary name in the same folder, flush to disk, rename.</summary>
internal static class AtomicFile
{
    /// <summary>Lets <paramref name="write"/> fill <paramref name="path"/>; on any failure the old file, or none, stays.</summary>
    /// <exception cref="LortaException">LRT104: the folder cannot be written or the disk is full.</exception>
    public static void Write(string path, Action<FileStream> write)
    {
        try
        {
            using var file = PendingFile.Beside(path);
            write(file.Stream);
            file.Place(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(path, e);
        }
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
