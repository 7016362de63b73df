namespace LoRTA.Onnx.GraphGen.Patterns;

/// <summary>Where in this project something is, for whoever wants to add to it: each type has a file of its name, in the folder of its
/// namespace.</summary>
internal static class SourceFile
{
    /// <summary>A type's file.</summary>
    public static string Of(Type type) => $"{FolderOf(type)}/{type.Name}.cs";

    /// <summary>The folder of that.</summary>
    public static string FolderOf(Type type)
    {
        string[] parts = [.. type.Namespace!.Split('.').Skip(2)];   // behind LoRTA.Onnx
        return string.Join('/', [parts[0].ToLowerInvariant(), .. parts[1..]]);
    }

    /// <summary>A member of a type, and the file.</summary>
    public static string Place(Type type, string member) => $"{type.Name}.{member} ({Of(type)})";
}
