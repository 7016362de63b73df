namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Paths that are equal when they name the same place, whichever links lead to it.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;   // as many as Linux follows

    /// <summary>How two of them are compared.</summary>
    public static StringComparison Comparison { get; } =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>The place itself: folders on the way are resolved, the last part is not, as it is what a rename replaces.</summary>
    /// <exception cref="LortaException">LRT122: a link on the way leads in a circle.</exception>
    public static string Of(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Path.GetDirectoryName(full) is { } parent ? Path.Combine(Target(parent), Path.GetFileName(full)) : full;
    }

    /// <summary>Where the place leads to in the end, whether something is there or not.</summary>
    /// <exception cref="LortaException">LRT122: a link on the way leads in a circle.</exception>
    public static string Target(string path)
    {
        var full = Path.GetFullPath(path);
        var place = Path.GetPathRoot(full)!;
        var rest = new Stack<string>(PartsBackwards(full[place.Length..]));
        for (var links = 0; rest.TryPop(out var part);)
        {
            if (part == ".") continue;
            var next = part == ".." ? Path.GetDirectoryName(place) ?? place : Path.Combine(place, part);
            if (part == ".." || LinkAt(next) is not { } target)
            {
                place = next;
                continue;
            }
            if (++links > MostLinks) throw FileErrors.DeadLink(path, next, "that leads back to itself");
            if (Path.IsPathRooted(target)) place = Path.GetPathRoot(Path.GetFullPath(target))!;
            foreach (var step in PartsBackwards(target[(Path.GetPathRoot(target)?.Length ?? 0)..])) rest.Push(step);
        }
        return place;
    }

    /// <summary>Whether the place is below a folder; both are resolved.</summary>
    public static bool IsBelow(string place, string folder) =>
        place.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, Comparison)
        || (Path.EndsInDirectorySeparator(folder) && place.StartsWith(folder, Comparison));

    /// <summary>What the link at a path holds; null where there is no link.</summary>
    public static string? LinkAt(string path) => new FileInfo(path).LinkTarget;

    /// <summary>The first link on the way of a path that leads to nothing, and the place that it names; null where none does.</summary>
    /// <exception cref="LortaException">LRT122: a link leads in a circle.</exception>
    public static (string Link, string Target)? DeadLink(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } parent) return null;
        if (DeadLink(parent) is { } above) return above;
        if (LinkAt(full) is null) return null;
        var target = Target(full);
        return File.Exists(target) || Directory.Exists(target) ? null : (full, target);
    }

    /// <summary>Whether an input file is there, behind any links; one that is named by a dead link is not simply absent.</summary>
    /// <exception cref="LortaException">LRT122: a link leads nowhere.</exception>
    public static bool HasFile(string path) => DeadLink(path) is null ? File.Exists(path) : throw FileErrors.NotFound(path);

    private static IEnumerable<string> PartsBackwards(string path) =>
        path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Reverse();
}
