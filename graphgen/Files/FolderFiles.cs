namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>What a folder holds.</summary>
internal static class FolderFiles
{
    /// <summary>Files in a folder and below, as relative paths with <c>/</c>, in order. A link to a folder is one entry: it is not
    /// followed.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="except">A folder below it that is left out.</param>
    public static IReadOnlyList<string> In(string folder, string? except = null)
    {
        var root = RealPath.Target(folder);
        var left = except is null ? null : RealPath.Of(except);
        return [.. Below(root, left).Select(path => Path.GetRelativePath(root, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Below(string folder, string? except) =>
        new DirectoryInfo(folder).EnumerateFileSystemInfos().SelectMany(entry =>
            entry is FileInfo || entry.LinkTarget is not null ? [entry.FullName]
            : entry.FullName.Equals(except, RealPath.Comparison) ? []
            : Below(entry.FullName, except));
}
