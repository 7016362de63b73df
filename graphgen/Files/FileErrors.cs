using System.Diagnostics.CodeAnalysis;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Failures of files and folders, whatever they hold.</summary>
[Experimental(Unsettled.Id)]
public static class FileErrors
{
    /// <summary>LRT101: nothing is there. Where a link on the way is to blame, the sentence names it (LRT122); where a folder is in the
    /// place of a file, or a file in that of a folder, it says so (LRT127).</summary>
    /// <param name="path">The file or folder.</param>
    public static LortaException NotFound(string path)
    {
        if (RealPath.DeadLink(path) is var (link, target)) return DeadLink(path, link, $"to {target}, which does not exist");
        if (Directory.Exists(path)) return OfOtherKind(path, "folder", "file", "Name a file in it.");
        return RealPath.HasFile(path)
            ? OfOtherKind(path, "file", "folder", "Name the folder that holds it.")
            : new(
                "LRT101",
                $"{path}: no such file or folder.",
                "Check the path; relative paths start at the current folder, in a recipe at the recipe.");
    }

    private static LortaException OfOtherKind(string path, string present, string needed, string hint) =>
        new("LRT127", $"{path}: is a {present}, where a {needed} is needed.", hint);

    internal static LortaException DeadLink(string path, string link, string where) =>
        new(
            "LRT122",
            $"{path}: cannot be followed, because {link} is a link {where}.",
            "Restore the file that the link names (of a download cache: download it again), or name the file itself.");

    /// <summary>LRT102: an output exists that may not be replaced.</summary>
    /// <param name="path">The output.</param>
    public static LortaException Exists(string path) =>
        new(
            "LRT102",
            $"{path}: exists already.",
            "Name another output. With --force it is replaced. With --resume a run is continued.")
        { IsUsage = true };

    /// <summary>LRT103: a file cannot be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="inner">Why.</param>
    public static LortaException NotReadable(string path, Exception inner) =>
        new(
            "LRT103",
            $"{path}: cannot be read ({Reason(inner)}).",
            "Check the permissions of the file and its folder.",
            inner);

    internal static LortaException NotWritable(string path, Exception inner) =>
        new(
            "LRT104",
            $"{path}: cannot be written ({Reason(inner)}).",
            "Check the folder's permissions and the free space of the disk; nothing was left behind.",
            inner);

    // The system adds the path, which the sentence has; of what is written, it is that of a temporary file.
    private static string Reason(Exception inner)
    {
        if (inner is UnauthorizedAccessException) return "access is denied";
        var text = inner.Message;
        var path = text.EndsWith('\'') ? text.IndexOf(" : '", StringComparison.Ordinal) : -1;
        return (path < 0 ? text : text[..path]).TrimEnd('.');
    }

    internal static LortaException HoldsOthers(string folder, string file) =>
        new(
            "LRT107",
            $"{folder}: holds '{file}', which would be deleted along with the folder.",
            "Name another folder, or move that file away first.")
        { IsUsage = true };

    internal static LortaException OverwritesSource(string output, string file) =>
        new("LRT701", $"{output}: would overwrite {file}, from which it is made.", "Name another output.") { IsUsage = true };

    internal static LortaException Shortened(string path, long before, long now) =>
        new(
            "LRT140",
            $"{path}: was shortened from {before} to {now} bytes while it was in use.",
            "Replace such a file by writing it under another name and renaming it; then run the command again.");

    internal static LortaException NotReplaceable(string path, PathKind kind) =>
        new("LRT123", $"{path}: is {kind.Text()}, which is never replaced.", "Name another output.") { IsUsage = true };

    internal static LortaException OtherKind(string path, string expected) =>
        new(
            "LRT124",
            $"{path}: is not {expected}, and only such a file would be replaced.",
            "Name another output, or move that file away first.")
        { IsUsage = true };

    internal static LortaException LeadsOutside(string path, string target) =>
        new(
            "LRT125",
            $"{path}: leads to {target}, outside the model's folder.",
            "A copy of the folder would hold what that file holds; put a copy of your own in the link's place, or remove the link.");

    /// <summary>LRT105: a file is not what it should be.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What is wrong with it, as the end of a sentence that begins with the path.</param>
    public static LortaException Corrupt(string path, string what) =>
        new("LRT105", $"{path}: {what}.", "The file is damaged or of another format; download or write it again.");
}
