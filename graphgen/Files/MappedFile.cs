using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>A file mapped into memory for reading. Views stay valid as long as the object is referenced; a rename over the file does not
/// touch them.</summary>
internal sealed unsafe class MappedFile
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private readonly SafeFileHandle _handle;

    // The length is that of the opened file: a path may be a link, which has a length of its own, or name another file a moment later.
    private MappedFile(string path)
    {
        // other sharing would lock the file for as long as it is mapped
        _handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        (Path, Length) = (path, RandomAccess.GetLength(_handle));
        if (Length == 0) return;   // an empty file cannot be mapped
        _file = MemoryMappedFile.CreateFromFile(_handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Address of the first byte, for runtimes that take pointers.</summary>
    public IntPtr Address => (IntPtr)_start;

    /// <summary>Maps a file.</summary>
    /// <exception cref="LortaException">LRT101 no such file; LRT103 not readable; LRT122 a link that leads nowhere.</exception>
    public static MappedFile Open(string path)
    {
        if (!RealPath.HasFile(path)) throw FileErrors.NotFound(path);
        try
        {
            return new MappedFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }

    /// <summary>A window on the file; bytes are read from disk when they are touched.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw FileErrors.Corrupt(Path, $"has {Length} bytes, but {length} bytes from byte {offset} on are needed");
        CheckWhole();
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    /// <summary>Lets go of the memory of a window: what is touched again is read again. Without it, every byte that was read once counts as
    /// memory of the process for as long as the file is mapped.</summary>
    public void LetGo(long offset, long length)
    {
        var page = Environment.SystemPageSize;
        var (first, end) = ((offset + page - 1) / page * page, (offset + length) / page * page);
        if (end > first) UnixCalls.LetGo((IntPtr)(_start + first), (nint)(end - first));
        GC.KeepAlive(this);   // else the file may be unmapped, and its addresses be another's, before the call
    }

    /// <summary>Refuses a file that was shortened in place since it was opened. The system ends a process that touches bytes which are
    /// gone (SIGBUS), and nothing can catch that,
    /// so it is asked for before each piece of work.</summary>
    /// <exception cref="LortaException">LRT140: it was.</exception>
    public void CheckWhole()
    {
        if (Length > 0 && RandomAccess.GetLength(_handle) is var now && now < Length) throw FileErrors.Shortened(Path, Length, now);
    }

    // Tensors share a file and nobody knows which is the last: the collector closes it.
    ~MappedFile()
    {
        if (_start != null) _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
        _handle?.Dispose();   // null where it could not be opened
    }
}
