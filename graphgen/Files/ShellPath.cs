using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Paths in commands that are printed to be copied.</summary>
[Experimental(Unsettled.Id)]
public static partial class ShellPath
{
    /// <summary>A path as a person would type it in the current folder: relative where it is below that folder, quoted where a shell
    /// needs it.</summary>
    /// <param name="path">The path.</param>
    public static string Of(string path)
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return Quoted(relative.StartsWith("..", StringComparison.Ordinal) ? path : relative);
    }

    /// <summary>A path, quoted where a shell would split it or read more into it than its letters.</summary>
    /// <param name="path">The path.</param>
    public static string Quoted(string path)
    {
        if (Plain().IsMatch(OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path)) return path;
        var isRead = !OperatingSystem.IsWindows() && path.AsSpan().IndexOfAny("$`\"\\!") >= 0;   // these, inside double quotes too
        return isRead ? $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'" : $"\"{path}\"";
    }

    [GeneratedRegex(@"^[\w./:,+@%=-]+$")]
    private static partial Regex Plain();
}
