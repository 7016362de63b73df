namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Finds the folder of fixtures that lies outside the repository.</summary>
internal static class Fixtures
{
    /// <summary><c>LORTA_FIXTURES</c>, else the nearest <c>shared/fixtures</c> beside the repository or a folder above it; null when there is none.</summary>
    public static string? Root { get; } = Environment.GetEnvironmentVariable("LORTA_FIXTURES") is { Length: > 0 } given
        ? given
        : Above(AppContext.BaseDirectory).Select(folder => System.IO.Path.Combine(folder, "shared", "fixtures")).FirstOrDefault(Directory.Exists);

    /// <summary>The path of a fixture; ends the running test as ignored when it is not there.</summary>
    public static string Path(params string[] parts)
    {
        if (Root is null) Assert.Ignore("No fixtures: set LORTA_FIXTURES or put them into ../shared/fixtures beside the repository.");
        var path = System.IO.Path.Combine([Root!, .. parts]);
        if (!File.Exists(path) && !Directory.Exists(path)) Assert.Ignore($"Fixture missing: {path}");
        return path;
    }

    private static IEnumerable<string> Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent) yield return at.FullName;
    }
}
