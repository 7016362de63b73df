using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>The few calls of the operating system that .NET does not offer. Where a system lacks one, the answer says so.</summary>
internal static unsafe partial class UnixCalls
{
    private const int CurrentFolder = -100;   // AT_FDCWD
    private const int NoFollow = 0x100;       // AT_SYMLINK_NOFOLLOW
    private const uint TypeMask = 1;          // STATX_TYPE
    private const int ModeOffset = 28;        // of stx_mode; this structure is the same on every processor
    private const uint Exchange = 2;          // RENAME_EXCHANGE
    private const int DontNeed = 4;           // MADV_DONTNEED

    /// <summary>The type bits of what is at a path, a link not followed; null where nothing is there or the call is missing.</summary>
    public static int? TypeOf(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        var buffer = stackalloc byte[256];
        try
        {
            return Statx(CurrentFolder, path, NoFollow, TypeMask, buffer) == 0 ? *(ushort*)(buffer + ModeOffset) & 0xF000 : null;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Swaps two paths in one step; false where the system or the file system cannot.</summary>
    public static bool TryExchange(string a, string b)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return RenameAt(CurrentFolder, a, CurrentFolder, b, Exchange) == 0;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Lets go of memory whose content is in a file; it is read again when it is touched. Does nothing where the system
    /// cannot.</summary>
    /// <param name="address">The first page.</param>
    /// <param name="length">Bytes.</param>
    public static void LetGo(IntPtr address, nint length)
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = Advise(address, length, DontNeed);   // advice that is not taken costs memory and nothing else
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return;
        }
    }

    /// <summary>Opens a file for reading without asking for the lock that .NET takes on each file that it opens; null where that
    /// fails.</summary>
    public static SafeFileHandle? OpenUnlocked(string path)
    {
        var handle = Open(path, 0);
        if (handle >= 0) return new SafeFileHandle(handle, ownsHandle: true);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenameAt(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(IntPtr address, nint length, int advice);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);
}
