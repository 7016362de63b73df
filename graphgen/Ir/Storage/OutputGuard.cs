using System.Diagnostics.CodeAnalysis;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>Whether outputs may be written: never onto what they are made from, onto what exists only when that was asked for, and even
/// then only onto what such a command writes.</summary>
/// <param name="force">Whether existing outputs may be replaced.</param>
/// <param name="inputs">The files that the command reads.</param>
[Experimental(Unsettled.Id)]
public sealed class OutputGuard(bool force, IEnumerable<string> inputs)
{
    private readonly IReadOnlyList<string> _inputs = [.. inputs];

    /// <summary>Refuses a place where no model may be written.</summary>
    /// <param name="output">The model's file.</param>
    /// <exception cref="LortaException">LRT701: an input; LRT123: no file; LRT102: exists; LRT124: another kind of file.</exception>
    public void CheckModel(string output)
    {
        CheckInputs(output);
        var kind = Path.EndsInDirectorySeparator(output) ? PathKind.Folder : PathKinds.Of(output);
        if (kind == PathKind.Nothing) return;
        if (kind != PathKind.File) throw FileErrors.NotReplaceable(output, kind);
        if (!force) throw FileErrors.Exists(output);
        if (!OnnxFile.IsModel(output)) throw FileErrors.OtherKind(output, "an ONNX model");
    }

    /// <summary>Refuses a place where no file may be written.</summary>
    /// <param name="output">The file.</param>
    /// <exception cref="LortaException">LRT701: an input; LRT123: no file; LRT102: exists.</exception>
    public void CheckFile(string output)
    {
        CheckInputs(output);
        var kind = PathKinds.Of(output);
        if (kind is not (PathKind.Nothing or PathKind.File)) throw FileErrors.NotReplaceable(output, kind);
        if (kind == PathKind.File && !force) throw FileErrors.Exists(output);
    }

    /// <summary>Refuses a place where no folder may be written.</summary>
    /// <param name="output">The folder, which is replaced whole.</param>
    /// <param name="isOurs">Whether such a folder may hold a file of that name, relative with <c>/</c>.</param>
    /// <exception cref="LortaException">LRT701: holds or is an input; LRT123: no folder; LRT102: exists; LRT107: holds something
    /// else.</exception>
    public void CheckFolder(string output, Func<string, bool> isOurs)
    {
        CheckInputs(output);
        var target = RealPath.Target(output);
        var kind = PathKinds.Of(target);
        if (kind == PathKind.Nothing && PathKinds.Of(output) == PathKind.Nothing) return;
        if (kind == PathKind.Folder && !force) throw FileErrors.Exists(output);
        if (kind == PathKind.Nothing) throw FileErrors.NotReplaceable(output, PathKind.Link);
        AtomicFolder.CheckReplaceable(output, target, isOurs);
    }

    /// <summary>Refuses a file or folder that is an input or holds one.</summary>
    /// <param name="output">The file or folder.</param>
    /// <exception cref="LortaException">LRT701.</exception>
    public void CheckInputs(string output)
    {
        var (place, target) = (RealPath.Of(output), RealPath.Target(output));
        if (_inputs.FirstOrDefault(input => IsHarmed(input, place) || IsHarmed(input, target)) is { } harmed)
            throw FileErrors.OverwritesSource(output, harmed);
    }

    // Under the name that it was opened by, or under that of the file behind a link.
    private static bool IsHarmed(string input, string output) => new[] { RealPath.Of(input), RealPath.Target(input) }.Any(place =>
        place.Equals(output, RealPath.Comparison) || RealPath.IsBelow(place, output));
}
