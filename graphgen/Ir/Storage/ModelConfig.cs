using System.Text.Json;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Ir.Storage;

/// <summary>What the <c>config.json</c> beside a model says of it.</summary>
internal sealed record ModelConfig
{
    public const string FileName = "config.json";

    /// <summary>Names of the classes, in the order of the logits; null where none are given.</summary>
    public IReadOnlyList<string>? Labels { get; private init; }

    /// <summary>Names of the PyTorch classes that the model was exported from.</summary>
    public IReadOnlyList<string> Architectures { get; private init; } = [];

    /// <summary>What a head of a whole text predicts, in the words of Hugging Face: <c>regression</c>,
    /// <c>multi_label_classification</c>, ….</summary>
    public string? ProblemType { get; private init; }

    /// <summary>Reads the file beside a model; one that is missing, or no JSON, says nothing.</summary>
    public static ModelConfig Beside(OnnxModel model) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(model.Path))!, FileName) is var path && RealPath.HasFile(path)
            ? Parse(File.ReadAllBytes(path))
            : new ModelConfig();

    /// <summary>Reads the text of such a file.</summary>
    public static ModelConfig Parse(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(PlainText.WithoutMark(json).ToArray());
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return new ModelConfig();
            return new ModelConfig
            {
                Labels = root.TryGetProperty(ModelLabels.IdToLabel, out var labels) ? ModelLabels.Parse(labels) : null,
                Architectures = root.TryGetProperty("architectures", out var names) && names.ValueKind == JsonValueKind.Array
                    ? [.. names.EnumerateArray().Select(Text).OfType<string>()]
                    : [],
                ProblemType = root.TryGetProperty("problem_type", out var problem) ? Text(problem) : null,
            };
        }
        catch (JsonException)
        {
            return new ModelConfig();
        }
    }

    private static string? Text(JsonElement json) => json.ValueKind == JsonValueKind.String ? json.GetString() : null;
}
