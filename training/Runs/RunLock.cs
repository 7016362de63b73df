using System.Globalization;
using System.Text;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;

#pragma warning disable CA2000 // the lock belongs to whoever took it

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The lock of a run folder: a file that its process holds open exclusively and that says who that is.</summary>
/// <remarks>The system lets go of the lock however the process ends: a lock file that can be locked was left by one that was
/// killed.</remarks>
internal sealed class RunLock : IDisposable
{
    /// <summary>Name of the file in the run folder.</summary>
    public const string FileName = "run.lock";

    private const int Attempts = 20;
    private readonly string _path;
    private readonly bool _isNewFolder;
    private readonly FileStream _stream;

    private RunLock(string path, bool isNewFolder)
    {
        (_path, _isNewFolder) = (path, isNewFolder);
        var sharing = OperatingSystem.IsWindows() ? FileShare.Read : FileShare.None;
        _stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, sharing);
    }

    /// <summary>Refuses a folder that another process works in.</summary>
    /// <exception cref="LortaException">LRT625: it is in use.</exception>
    public static void RefuseInUse(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (PathKinds.Of(path) != PathKind.File) return;
        using var held = FileSteps.TryLock(path);
        if (held is null && File.Exists(path)) throw TrainingErrors.RunInUse(folder, Holder(path));
    }

    /// <summary>Takes the folder, which is made where it is missing.</summary>
    /// <exception cref="LortaException">LRT625: another process has it; LRT104: not writable.</exception>
    public static RunLock Take(string folder, TimeProvider clock)
    {
        var path = Path.Combine(folder, FileName);
        var isNew = !Directory.Exists(folder);
        try
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                Directory.CreateDirectory(folder);
                RefuseInUse(folder);
                if (TryTake(path, isNew, Text(clock)) is { } taken) return taken;
            }
            throw TrainingErrors.RunInUse(folder, Holder(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(folder, e);
        }
    }

    public void Dispose()
    {
        // While the lock is held nobody else can take the file, so it is removed first; Windows cannot remove an open one.
        var folder = Path.GetDirectoryName(_path)!;
        if (!OperatingSystem.IsWindows() && Directory.Exists(folder)) FileSteps.Delete(_path);
        _stream.Dispose();
        if (OperatingSystem.IsWindows()) FileSteps.Delete(_path);
        // nothing was written
        if (_isNewFolder && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
    }

    // The file may have been removed by its last owner between being opened and being locked: then its name is gone, or another file's.
    private static RunLock? TryTake(string path, bool isNewFolder, string text)
    {
        try
        {
            var taken = new RunLock(path, isNewFolder);
            if (taken.Claims(text)) return taken;
            taken._stream.Dispose();
            return null;
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    private bool Claims(string text)
    {
        _stream.SetLength(0);
        _stream.Write(Encoding.UTF8.GetBytes(text));
        _stream.Flush();
        return Holder(_path) == text.TrimEnd('\n');
    }

    private static string Text(TimeProvider clock) =>
        string.Create(CultureInfo.InvariantCulture,
            $"process {Environment.ProcessId} on {Environment.MachineName} since {clock.GetUtcNow():yyyy-MM-dd HH:mm:ss.fffffff}Z\n");

    // Read past the lock: the file is whole at every moment but the first.
    private static string Holder(string path)
    {
        using var handle = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete)
            : UnixCalls.OpenUnlocked(path);
        if (handle is null) return "another process";
        var bytes = new byte[256];
        var text = Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0)).TrimEnd('\n');
        return text.Length > 0 && !text.Any(char.IsControl) ? text : "another process";
    }
}
