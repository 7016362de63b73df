namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>The steps by which outputs take their place. Every name that appears, moves or goes does so here, and a process that ends
/// between two steps leaves a state that the next one can clean up.</summary>
internal static class FileSteps
{
    /// <summary>Told before each step. The tool never sets it: tests end the process at each step in turn.</summary>
    internal static Action? Before { get; set; }

    public static FileStream Create(string path)
    {
        Before?.Invoke();
        return new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, Locked, bufferSize: 1 << 16);
    }

    public static void CreateFolder(string path)
    {
        Before?.Invoke();
        Directory.CreateDirectory(path);
    }

    public static void Move(string from, string to)
    {
        Before?.Invoke();
        File.Move(from, to, overwrite: true);
    }

    public static void MoveFolder(string from, string to)
    {
        Before?.Invoke();
        Directory.Move(from, to);
    }

    /// <summary>Swaps two folders in one step; false where the system cannot.</summary>
    public static bool TryExchange(string a, string b)
    {
        Before?.Invoke();
        return UnixCalls.TryExchange(a, b);
    }

    public static void Delete(string path)
    {
        Before?.Invoke();
        File.Delete(path);
    }

    public static void DeleteFolder(string path)
    {
        Before?.Invoke();
        Directory.Delete(path, recursive: true);
    }

    /// <summary>Opens a file that a living process would hold; null where one does, or where it cannot be opened.</summary>
    public static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, Locked);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // On Unix an exclusive lock, which the system lets go of however its owner ends. On Windows an open file can be renamed only where
    // its sharing allows that.
    private static FileShare Locked => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;
}
