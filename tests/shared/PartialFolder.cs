namespace LoRTA.Onnx.Tests.Shared;

/// <summary>A temporary folder with some of the files of another.</summary>
internal sealed class PartialFolder : IDisposable
{
    public PartialFolder(string source, params ReadOnlySpan<string> names)
    {
        Directory.CreateDirectory(Path);
        foreach (var name in names) File.Copy(System.IO.Path.Combine(source, name), System.IO.Path.Combine(Path, name), overwrite: true);
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("lorta-").FullName;

    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
