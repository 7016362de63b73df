using System.Text;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>The second file of a model, with its large constants: <c>NAME.onnx.HASH.data</c>, where HASH is of its content.</summary>
/// <remarks>New data have a new name. So the old model file goes with the old data until the new one takes its place, which is one
/// rename: whenever a process ends, one of the two is whole.</remarks>
internal static class DataFile
{
    private const int HashLength = 16;
    private const string Ending = ".data";

    /// <summary>The data file of a model.</summary>
    /// <param name="model">The model's path.</param>
    /// <param name="hash">A hash of the content.</param>
    public static string PathFor(string model, ReadOnlySpan<byte> hash) =>
        $"{model}.{Convert.ToHexStringLower(hash)[..HashLength]}{Ending}";

    /// <summary>Whether a name is that of a data file of a model.</summary>
    public static bool IsOf(string model, string name) =>
        name.StartsWith(model, StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal)
        && name.Length == model.Length + 1 + HashLength + Ending.Length && name[model.Length] == '.'
        && name.Skip(model.Length + 1).Take(HashLength).All(char.IsAsciiHexDigitLower);

    /// <summary>Removes the data files of earlier models of this name. One that another file in the folder names (a copy, a renamed
    /// model) stays, and all stay while another process writes in the folder.</summary>
    /// <param name="model">The model's path.</param>
    /// <param name="current">The data file that it names now; null where it has none.</param>
    public static void RemoveUnused(string model, string? current)
    {
        var full = Path.GetFullPath(model);
        var (folder, name) = (Path.GetDirectoryName(full)!, Path.GetFileName(full));
        var unused = Directory.EnumerateFiles(folder, $"*{Ending}")
            .Where(path => IsOf(name, Path.GetFileName(path)) && Path.GetFileName(path) != Path.GetFileName(current)
                && PathKinds.Of(path) == PathKind.File)
            .ToList();
        if (unused.Count == 0 || Leftovers.HasLiving(folder)) return;
        var others = Directory.EnumerateFiles(folder)
            .Where(path => !IsOf(name, Path.GetFileName(path)) && PathKinds.Of(path) == PathKind.File)
            .ToList();
        foreach (var data in unused.Where(data => !others.Exists(path => MayName(path, Path.GetFileName(data))))) FileSteps.Delete(data);
    }

    // What cannot be read may be a model that does.
    private static bool MayName(string file, string data)
    {
        try
        {
            return OnnxFile.IsModel(file) && Names(file, data);
        }
        catch (LortaException)
        {
            return true;
        }
    }

    private static bool Names(string model, string data)
    {
        const int Block = 1 << 26;
        var file = MappedFile.Open(model);
        var text = Encoding.UTF8.GetBytes(data);
        for (long at = 0; at < file.Length; at += Block)
            if (file.Span(at, (int)Math.Min(Block + (long)text.Length, file.Length - at)).IndexOf(text) >= 0) return true;
        return false;
    }
}
