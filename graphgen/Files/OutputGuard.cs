using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Whether outputs may be written: never onto the model that they are made from, and onto what exists only when that was asked for.</summary>
/// <param name="force">Whether existing outputs may be replaced.</param>
/// <param name="source">The model that must stay whole, with the files that its weights lie in; null = none.</param>
internal sealed class OutputGuard(bool force, Model? source = null)
{
    /// <summary>Refuses outputs that may not be written.</summary>
    /// <param name="outputs">Every file, and every folder that is replaced whole.</param>
    /// <exception cref="LortaException">LRT701: holds or is a file of the source; LRT102: exists.</exception>
    public void Check(params IEnumerable<string> outputs)
    {
        var files = source?.Files ?? [];
        foreach (var output in outputs)
        {
            if (files.FirstOrDefault(file => IsHarmed(file, RealPath.Of(output))) is { } file) throw FileErrors.OverwritesSource(output, file);
            if (!force && (File.Exists(output) || Directory.Exists(output))) throw FileErrors.Exists(output);
        }
    }

    // Under the name that it was opened by, or under that of the file behind a link.
    private static bool IsHarmed(string file, string output) => new[] { RealPath.Of(file), RealPath.Target(file) }.Any(place =>
        place.Equals(output, RealPath.Comparison) || place.StartsWith(output + Path.DirectorySeparatorChar, RealPath.Comparison));
}
