namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Paths that are equal when they name the same place, whichever links lead to it.</summary>
internal static class RealPath
{
    /// <summary>How two of them are compared.</summary>
    public static StringComparison Comparison { get; } = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>The place itself: folders on the way are resolved, the last part is not, as it is what a rename replaces.</summary>
    public static string Of(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Path.GetDirectoryName(full) is { } parent ? Path.Combine(Target(parent), Path.GetFileName(full)) : full;
    }

    /// <summary>Where the place leads to in the end.</summary>
    public static string Target(string path)
    {
        var place = Of(path);
        return new FileInfo(place) is { LinkTarget: not null } link ? Of(link.ResolveLinkTarget(returnFinalTarget: true)!.FullName) : place;
    }
}
