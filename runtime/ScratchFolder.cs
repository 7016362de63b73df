namespace LoRTA.Onnx.Runtime;

/// <summary>A folder for temporary files that goes with its owner; what a killed process left goes with the next folder that is
/// made.</summary>
/// <remarks>Each folder holds a file that its owner keeps locked. The system lets go of the lock however the owner ends, so a folder whose
/// lock is free is nobody's.</remarks>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "lorta-scratch-";
    private const string LockFile = "lock";
    private readonly FileStream _lock;

    private ScratchFolder(string path)
    {
        Path = path;
        _lock = Lock(path, FileMode.CreateNew);
    }

    public string Path { get; }

    /// <summary>Makes a folder in the system's for temporary files.</summary>
    /// <exception cref="IOException">That one is missing or full.</exception>
    public static ScratchFolder Create()
    {
        foreach (var left in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), Prefix + "*")) DeleteIfLeft(left);
        var folder = Directory.CreateTempSubdirectory(Prefix).FullName;
        try
        {
            return new ScratchFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public void Dispose()
    {
        _lock.Dispose();
        DeleteIfLeft(Path);
    }

    // A folder that is in use, another user's, or still mapped (where the system minds that) stays for a later time.
    private static void DeleteIfLeft(string folder)
    {
        try
        {
            Lock(folder, FileMode.Open).Dispose();
            foreach (var file in Directory.EnumerateFiles(folder).Where(file => System.IO.Path.GetFileName(file) != LockFile))
                File.Delete(file);
            Directory.Delete(folder, recursive: true);   // the lock goes last: without it nobody would come back for the rest
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }

    private static FileStream Lock(string folder, FileMode mode) =>
        new(System.IO.Path.Combine(folder, LockFile), mode, FileAccess.ReadWrite, FileShare.None);
}
