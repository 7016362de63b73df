#pragma warning disable CA2000 // the stream belongs to the file, and the file to whoever asked for it

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>A file under a temporary name in the folder of its place, until it is whole. It is locked, so that others see that somebody
/// is writing it.</summary>
internal sealed class PendingFile : IDisposable
{
    private const int Attempts = 20;
    private readonly string _name;
    private bool _isPlaced;

    private PendingFile(string name) => (_name, Stream) = (name, FileSteps.Create(name));

    /// <summary>Takes the bytes; may be read again.</summary>
    public FileStream Stream { get; }

    /// <summary>Begins a file that is to take a place in this folder, and removes what killed processes left there.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static PendingFile Beside(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder)) FileSteps.CreateFolder(folder);
        Leftovers.Remove(folder);
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var name = Leftovers.NewName(folder) + Leftovers.Temporary;
            if (TryCreate(name) is { } file) return file;
        }
        throw new IOException($"{folder} accepts no new file");
    }

    /// <summary>Flushes the file to disk and gives it its place, over what is there.</summary>
    public void Place(string path)
    {
        Stream.Flush(flushToDisk: true);
        FileSteps.Move(_name, Path.GetFullPath(path));
        _isPlaced = true;
        Stream.Dispose();
    }

    public void Dispose()
    {
        try
        {
            if (!_isPlaced) FileSteps.Delete(_name);
        }
        finally
        {
            Stream.Dispose();
        }
    }

    // Whoever cleans up may take the file between its creation and its lock; then there is another name.
    private static PendingFile? TryCreate(string name)
    {
        try
        {
            var file = new PendingFile(name);
            if (File.Exists(name)) return file;
            file.Stream.Dispose();
            return null;
        }
        catch (IOException) when (PathKinds.Of(name) != PathKind.Nothing)
        {
            return null;
        }
    }
}
