namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>What is at a path.</summary>
internal enum PathKind
{
    Nothing,
    File,
    Folder,
    Link,

    /// <summary>A device, a pipe, a socket.</summary>
    Special,
}

/// <summary>Tells what is at a path, a link not followed.</summary>
internal static class PathKinds
{
    private const int FolderType = 0x4000;
    private const int FileType = 0x8000;
    private const int LinkType = 0xA000;

    public static PathKind Of(string path)
    {
        var place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return UnixCalls.TypeOf(place) switch
        {
            FileType => PathKind.File,
            FolderType => PathKind.Folder,
            LinkType => PathKind.Link,
            { } => PathKind.Special,
            null => ByAttributes(place),
        };
    }

    /// <summary>The kind in words, with its article.</summary>
    public static string Text(this PathKind kind) => kind switch
    {
        PathKind.Folder => "a folder",
        PathKind.Link => "a symbolic link",
        PathKind.Special => "a device, a pipe or a socket",
        _ => "a file",
    };

    private static PathKind ByAttributes(string place)
    {
        var file = new FileInfo(place);
        if (file.LinkTarget is not null) return PathKind.Link;
        if (Directory.Exists(place)) return PathKind.Folder;
        if (!file.Exists) return PathKind.Nothing;
        return file.Attributes.HasFlag(FileAttributes.Device) || place.StartsWith("/dev/", StringComparison.Ordinal)
            ? PathKind.Special
            : PathKind.File;
    }
}
