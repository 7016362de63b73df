namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>The files of the repository that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root { get; } = Above(AppContext.BaseDirectory).First(folder => File.Exists(System.IO.Path.Join(folder, "LoRTA.Onnx.sln")));

    /// <summary>A file or folder of the repository.</summary>
    public static string Path(string relative) => System.IO.Path.Combine(Root, relative);

    /// <summary>The C# sources of the libraries and of the command.</summary>
    public static IEnumerable<string> Sources => new[] { "graphgen", "runtime", "training", "export", "extensions.ai", "testing", "cli" }
        .SelectMany(folder => Directory.EnumerateFiles(Path(folder), "*.cs", SearchOption.AllDirectories)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return at.FullName;
    }
}
