using System.Security.Cryptography;

namespace LoRTA.Onnx.Kill.Tests;

/// <summary>The files below a folder with hashes of their content.</summary>
internal static class Snapshot
{
    // Times differ from run to run.
    private static readonly string[] Timed = ["log.txt", "report.md", "report.html", "metrics.jsonl", "recipe.yaml"];

    public static IReadOnlyDictionary<string, string> Of(string folder)
    {
        var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories);
        return new SortedDictionary<string, string>(entries.ToDictionary(entry => Path.GetRelativePath(folder, entry.FullName).Replace('\\', '/'), Hash, StringComparer.Ordinal), StringComparer.Ordinal);
    }

    public static void Copy(string from, string to)
    {
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories).Prepend(from)) Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    private static string Hash(FileSystemInfo entry) =>
        entry is DirectoryInfo ? "folder" : Timed.Contains(entry.Name) ? "text" : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(entry.FullName)));
}
