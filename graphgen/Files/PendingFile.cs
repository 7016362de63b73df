#pragma warning disable CA2000 // the stream belongs to the file, and the file to whoever asked for it

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>A file under a temporary name in the folder of its place, until it is whole. It is locked, so that others see that somebody
/// is writing it.</summary>
internal sealed class PendingFile : IDisposable
{
    private PendingFile(FileStream stream) => Stream = stream;

    /// <summary>Takes the bytes; may be read again.</summary>
    public FileStream Stream { get; }

    /// <summary>Whether it has its place.</summary>
    public bool IsPlaced { get; private set; }

    /// <summary>Begins a file that is to take a place in this folder, and removes what killed processes left there.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static PendingFile Beside(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder)) FileSteps.CreateFolder(folder);
        Leftovers.Remove(folder);
        return new PendingFile(Leftovers.Create(folder, Leftovers.Temporary));
    }

    /// <summary>Flushes the file to disk and gives it its place, over what is there.</summary>
    /// <param name="path">The place.</param>
    /// <param name="placeCompanion">Puts what belongs to the file in its place, just before the file; null = nothing does.</param>
    /// <exception cref="OperationCanceledException">The work was told to stop, so nothing takes its place.</exception>
    public void Place(string path, Action? placeCompanion = null)
    {
        var place = Path.GetFullPath(path);
        Stream.Flush(flushToDisk: true);
        StopRequest.ThrowIfAny();
        if (placeCompanion is not null && File.Exists(place)) PlaceBehind(place, placeCompanion);
        else
        {
            placeCompanion?.Invoke();
            MoveTo(place);
        }
        Stream.Dispose();
    }

    public void Dispose()
    {
        try
        {
            if (!IsPlaced) FileSteps.Delete(Stream.Name);
        }
        finally
        {
            Stream.Dispose();
        }
    }

    // The old file goes first: whenever a process ends, no file lies beside the companion of another.
    private void PlaceBehind(string place, Action placeCompanion)
    {
        using var shield = StopRequest.Under(CancellationToken.None);   // both take their places, or neither
        var aside = Leftovers.NewName(Path.GetDirectoryName(place)!) + Leftovers.Retired;
        FileSteps.Move(place, aside);
        try
        {
            placeCompanion();
        }
        catch
        {
            FileSteps.Move(aside, place);
            throw;
        }
        MoveTo(place);
        FileSteps.Delete(aside);
    }

    private void MoveTo(string place)
    {
        FileSteps.Move(Stream.Name, place);
        IsPlaced = true;
    }
}
