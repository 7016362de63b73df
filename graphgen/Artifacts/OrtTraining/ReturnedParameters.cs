using System.Text;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>Parameters that come back from a host of ONNX Runtime Training: a checkpoint that it saved, or the bytes of all trained
/// parameters one behind the other, as float32 in the order of the graph's inputs.</summary>
internal static class ReturnedParameters
{
    /// <summary>Reads them.</summary>
    /// <param name="file">The file.</param>
    /// <param name="first">The checkpoint that the host began with.</param>
    /// <exception cref="LortaException">LRT101, LRT103, LRT105: not readable; LRT579, LRT580: of other artifacts.</exception>
    public static IReadOnlyList<OrtParameter> Read(string file, OrtCheckpoint first)
    {
        var mapped = MappedFile.Open(file);
        var isCheckpoint = mapped.Length >= 8 && Encoding.ASCII.GetString(mapped.Span(4, 4)) == Slots.Identifier;
        return isCheckpoint ? OfCheckpoint(file, first) : OfBuffer(mapped, first);
    }

    private static List<OrtParameter> OfCheckpoint(string file, OrtCheckpoint first)
    {
        var trained = OrtCheckpoint.Load(file).Trained.ToDictionary(
            parameter => parameter.Name, parameter => parameter.Value, StringComparer.Ordinal);
        var others = trained.Keys.Except(first.Trained.Select(parameter => parameter.Name), StringComparer.Ordinal);
        if (others.Order(StringComparer.Ordinal).FirstOrDefault() is { } other)
            throw OrtTrainingErrors.OtherCheckpoint(file, $"it holds '{other}', which the artifacts do not");
        return [.. first.Trained.Select(wanted => wanted with { Value = Matching(wanted) })];

        OnnxTensor Matching(OrtParameter wanted) => trained.GetValueOrDefault(wanted.Name) is not { } found
            ? throw OrtTrainingErrors.OtherCheckpoint(file, $"'{wanted.Name}' is missing")
            : found.Type == wanted.Value.Type && found.Dims.SequenceEqual(wanted.Value.Dims)
                ? found
                : throw OrtTrainingErrors.OtherCheckpoint(file, $"'{wanted.Name}' is {found}, not {wanted.Value}");
    }

    private static List<OrtParameter> OfBuffer(MappedFile file, OrtCheckpoint first)
    {
        var needed = first.Trained.Sum(parameter => parameter.Value.ByteCount);
        if (file.Length != needed) throw OrtTrainingErrors.OtherBuffer(file.Path, file.Length, needed);
        var read = new List<OrtParameter>();
        var start = 0L;
        foreach (var (name, like) in first.Trained)
        {
            read.Add(new(name, OnnxTensor.FromFile(like.Type, [.. like.Dims], file, start)));
            start += like.ByteCount;
        }
        return read;
    }
}
