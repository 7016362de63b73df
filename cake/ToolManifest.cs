using System.Text.Json;
using Cake.Core;
using Cake.Core.IO;

namespace Cake.LoRTA;

/// <summary>The tools that <c>dotnet tool run</c> knows in a folder: those of the manifests in it and above.</summary>
internal sealed class ToolManifest(IFileSystem files, ICakeEnvironment environment)
{
    private static readonly string[] Places = [".config/dotnet-tools.json", "dotnet-tools.json"];

    /// <summary>Whether a manifest names a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="folder">Where it is looked for first.</param>
    public bool Holds(string command, DirectoryPath folder)
    {
        for (var at = folder.MakeAbsolute(environment); at is not null; at = Above(at))
        {
            foreach (var place in Places)
            {
                var file = files.GetFile(at.CombineWithFilePath(place));
                if (!file.Exists) continue;
                var (holds, isRoot) = Read(file, command);
                if (holds || isRoot) return holds;
            }
        }
        return false;
    }

    // The root is its own parent to some versions, and has none to others.
    private static DirectoryPath? Above(DirectoryPath folder) =>
        folder.GetParent() is { } parent && parent.FullPath != folder.FullPath ? parent : null;

    // A manifest that is damaged is for dotnet to complain about.
    private static (bool Holds, bool IsRoot) Read(IFile file, string command)
    {
        try
        {
            using var stream = file.OpenRead();
            using var document = JsonDocument.Parse(
                stream, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var root = document.RootElement;
            var holds = root.GetProperty("tools").EnumerateObject().Any(tool =>
                tool.Value.GetProperty("commands").EnumerateArray().Any(one => one.ValueEquals(command)));
            return (holds, root.TryGetProperty("isRoot", out var isRoot) && isRoot.GetBoolean());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return default;
        }
    }
}
