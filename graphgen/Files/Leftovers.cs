#pragma warning disable CA2000 // the file belongs to whoever asked for it

using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Temporary names beside outputs, and what processes that were killed left under such names.</summary>
/// <remarks>A temporary file is held open with an exclusive lock; a temporary folder has a lock file beside it. One whose lock is free
/// belongs to nobody any more.</remarks>
internal static partial class Leftovers
{
    public const string Temporary = ".tmp";
    public const string Retired = ".old";
    public const string Lock = ".lock";
    private const string Prefix = "lorta-";
    private const int Attempts = 20;

    /// <summary>A new name in a folder, without its ending; nobody can guess it and plant something there.</summary>
    public static string NewName(string folder) => Path.Combine(folder, Prefix + RandomNumberGenerator.GetHexString(16, lowercase: true));

    /// <summary>Creates a file of a new name in a folder, locked.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static FileStream Create(string folder, string ending)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
            if (TryCreate(NewName(folder) + ending) is { } file) return file;
        throw new IOException($"{folder} accepts no new file");
    }

    /// <summary>Whether a file or folder of that name is temporary.</summary>
    public static bool Is(string name) => TemporaryName().IsMatch(name);

    /// <summary>Whether another process is writing something in the folder.</summary>
    public static bool HasLiving(string folder) => Held(folder).Exists(IsHeld);

    /// <summary>Removes what killed processes left in a folder, and brings back a folder that one of them had put aside.</summary>
    public static void Remove(string folder)
    {
        foreach (var path in Held(folder))
        {
            try
            {
                RemoveUnheld(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;   // another user's: a later run of theirs removes it
            }
        }
    }

    // Whoever cleans up may take the file between its creation and its lock; then there is another name.
    private static FileStream? TryCreate(string path)
    {
        try
        {
            var file = FileSteps.Create(path);
            if (File.Exists(path)) return file;
            file.Dispose();
            return null;
        }
        catch (IOException e) when (IsLockedByAnother(e) || PathKinds.Of(path) != PathKind.Nothing)
        {
            return null;
        }
    }

    // They may have removed the file again by the time that this is asked: EWOULDBLOCK, ERROR_SHARING_VIOLATION.
    private static bool IsLockedByAnother(IOException e) =>
        (e.HResult & 0xFFFF) == (OperatingSystem.IsWindows() ? 32 : OperatingSystem.IsMacOS() ? 35 : 11);

    private static bool IsHeld(string path)
    {
        using var held = FileSteps.TryLock(path);
        return held is null && File.Exists(path);
    }

    private static void RemoveUnheld(string path)
    {
        using var held = FileSteps.TryLock(path);
        if (held is null) return;
        if (path.EndsWith(Lock, StringComparison.Ordinal)) RemoveFolders(path, held);
        FileSteps.Delete(path);
    }

    // The lock file names the folder that was to be replaced.
    private static void RemoveFolders(string lockFile, FileStream held)
    {
        using var reader = new StreamReader(held, leaveOpen: true);
        var name = Path.GetFileName(reader.ReadToEnd());
        var (temporary, retired) = (Path.ChangeExtension(lockFile, Temporary), Path.ChangeExtension(lockFile, Retired));
        if (Directory.Exists(retired))
        {
            var target = Path.Combine(Path.GetDirectoryName(lockFile)!, name);
            if (name.Length > 0 && PathKinds.Of(target) == PathKind.Nothing) FileSteps.MoveFolder(retired, target);
            else FileSteps.DeleteFolder(retired);
        }
        if (Directory.Exists(temporary)) FileSteps.DeleteFolder(temporary);
    }

    // Files only: links and pipes of such names are not ours.
    private static List<string> Held(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, $"{Prefix}*").Where(path => Is(Path.GetFileName(path)) && PathKinds.Of(path) == PathKind.File)
            .Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex("^lorta-[0-9a-f]{16}\\.(tmp|old|lock)$")]
    private static partial Regex TemporaryName();
}
