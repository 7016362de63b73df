using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Where a model's data file lies, and whether the model may name it.</summary>
/// <remarks>
/// A model that somebody sent must not make this program read files that they choose. So a data file lies in the model's folder, also
/// after links are resolved. The folder is that of the path that was given, even where the model file is a link: in a download cache the
/// names are in the snapshot, not among the blobs. The one exception is what such a cache makes: a data file that is itself a link to a
/// file of the store that the model file is a link into, or to a file of the <c>blobs</c> that belong to the <c>snapshots</c> above the
/// model.
/// </remarks>
internal static class ExternalFile
{
    private const string Snapshots = "snapshots";
    private const string Blobs = "blobs";

    /// <summary>The data file; null where there is none of that name.</summary>
    /// <param name="model">The model's file.</param>
    /// <param name="location">The name in the model, relative to its folder.</param>
    /// <param name="refused">The error of a name that leads out of the folder.</param>
    /// <exception cref="LortaException">LRT122: a link that leads nowhere; what <paramref name="refused"/> makes.</exception>
    public static string? Find(string model, string location, Func<LortaException> refused)
    {
        foreach (var folder in Folders(model))
        {
            var place = location.Length == 0 ? folder : Path.GetFullPath(Path.Combine(folder, location));
            if (!RealPath.IsBelow(place, folder)) throw refused();
            if (RealPath.HasFile(place)) return IsOwn(place, folder, model) ? place : throw refused();
        }
        return null;
    }

    /// <summary>Whether a file that is named in a model's folder belongs there: it lies in it after links are resolved, or where a
    /// download cache keeps it.</summary>
    /// <param name="place">The file.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="model">The model's file.</param>
    public static bool IsOwn(string place, string folder, string model) => IsInside(place, folder) || IsInStore(place, folder, model);

    // Beside the path that was given; where nothing is there and the model is a link, beside the file that it leads to.
    private static IEnumerable<string> Folders(string model)
    {
        yield return Path.GetDirectoryName(Path.GetFullPath(model))!;
        if (RealPath.LinkAt(model) is not null) yield return Path.GetDirectoryName(RealPath.Target(model))!;
    }

    private static bool IsInside(string place, string folder) => RealPath.IsBelow(RealPath.Target(place), RealPath.Target(folder));

    private static bool IsInStore(string place, string folder, string model)
    {
        if (RealPath.LinkAt(place) is null || !RealPath.IsBelow(RealPath.Of(place), RealPath.Target(folder))) return false;
        var store = Path.GetDirectoryName(RealPath.Target(place));
        return IsSame(store, StoreOf(model)) || IsSame(store, BlobsBeside(RealPath.Target(folder)));
    }

    private static bool IsSame(string? a, string? b) => a is not null && a.Equals(b, RealPath.Comparison);

    private static string? StoreOf(string model) => RealPath.LinkAt(model) is null ? null : Path.GetDirectoryName(RealPath.Target(model));

    // models--owner--name/snapshots/REVISION/[folders/]model.onnx → models--owner--name/blobs
    private static string? BlobsBeside(string folder)
    {
        for (var at = new DirectoryInfo(folder); at.Parent is { Parent: { } cache } parent; at = parent)
            if (parent.Name == Snapshots) return Path.Combine(cache.FullName, Blobs);
        return null;
    }
}
