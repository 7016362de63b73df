using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Finds fixtures: in the folder outside the repository, or where that is missing, in the repository's own material.</summary>
internal static class Fixtures
{
    /// <summary>Category of slow tests that read the repository's own files only: CI does not repeat them where it runs the suite without fixtures.</summary>
    public const string NotNeeded = "FixturesNotNeeded";

    // Models under the names that they have among the fixtures.
    private static readonly Dictionary<string, string> Bundled = new(StringComparer.Ordinal)
    {
        ["models/llama-mini/ts-sdpa.onnx"] = "models/llama-mini/model.onnx",
        ["models/roberta-mini/seqcls.ts-eager.onnx"] = "models/roberta-mini/model.onnx",
        ["models/esm-mini/mlm.ts-eager.onnx"] = "models/esm-mini/model.onnx",
    };

    /// <summary><c>LORTA_FIXTURES</c>, else the nearest <c>shared/fixtures</c> beside the repository or a folder above it; null when there is none.</summary>
    public static string? Root { get; } = Environment.GetEnvironmentVariable("LORTA_FIXTURES") is { Length: > 0 } given
        ? (Directory.Exists(given) ? given : null)
        : Above(AppContext.BaseDirectory).Select(folder => System.IO.Path.Combine(folder, "shared", "fixtures")).FirstOrDefault(Directory.Exists);

    /// <summary>The folder of the solution.</summary>
    public static string Repository { get; } = Above(AppContext.BaseDirectory).First(folder => File.Exists(System.IO.Path.Combine(folder, "LoRTA.Onnx.sln")));

    /// <summary>The path of a fixture; ends the running test as ignored when it is nowhere.</summary>
    public static string Path(params string[] parts)
    {
        if (IsNotNeeded(TestExecutionContext.CurrentContext.CurrentTest)) throw new InvalidOperationException($"A test of category {NotNeeded} asks for {string.Join('/', parts)}.");
        if (Find(string.Join('/', parts)) is { } path) return path;
        Assert.Ignore(Root is null
            ? $"Fixture {string.Join('/', parts)} is not in the repository: set LORTA_FIXTURES or put the fixtures into ../shared/fixtures beside the repository."
            : $"Fixture missing: {System.IO.Path.Combine([Root, .. parts])}");
        throw new InvalidOperationException("not reached");
    }

    /// <summary>Files of a folder of fixtures and below, as paths relative to it with <c>/</c>, in order.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern)
    {
        var roots = Root is null ? new[] { OwnPath(folder) } : [System.IO.Path.Combine(Root, folder)];
        var found = roots.Where(Directory.Exists).SelectMany(root => Directory.GetFiles(root, pattern, SearchOption.AllDirectories).Select(path => System.IO.Path.GetRelativePath(root, path).Replace('\\', '/')));
        if (Root is null) found = found.Concat(Bundled.Keys.Where(name => name.StartsWith(folder + "/", StringComparison.Ordinal) && pattern == "*.onnx").Select(name => name[(folder.Length + 1)..]));
        return [.. found.Order(StringComparer.Ordinal)];
    }

    private static bool IsNotNeeded(ITest? test) => test is not null && (test.Properties[PropertyNames.Category].Contains(NotNeeded) || IsNotNeeded(test.Parent));

    private static string? Find(string name) =>
        (Root is { } root ? [System.IO.Path.Combine(root, name)] : Own(name)).FirstOrDefault(path => File.Exists(path) || Directory.Exists(path));

    // Where the repository keeps what the fixtures hold under this name.
    private static IEnumerable<string> Own(string name)
    {
        if (Bundled.TryGetValue(name, out var bundled)) yield return System.IO.Path.Combine(Repository, bundled);
        if (name.StartsWith("models/", StringComparison.Ordinal)) yield return System.IO.Path.Combine(Repository, name.Replace("/hf", string.Empty, StringComparison.Ordinal));
        if (name.StartsWith("data/own/", StringComparison.Ordinal)) yield return System.IO.Path.Combine(Repository, "models", "data", name["data/own/".Length..]);
        yield return OwnPath(name);
    }

    private static string OwnPath(string name) => System.IO.Path.Combine(Repository, "tests", "fixtures", name);

    private static IEnumerable<string> Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return at.FullName;
    }
}
