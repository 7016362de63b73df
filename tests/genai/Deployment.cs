using System.Text.Json;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GenAI.Tests;

/// <summary>A folder that the client can open: genai_config.json, the model that it names, a tokenizer.</summary>
/// <param name="Name">Name of the test case.</param>
/// <param name="Open">Gives the folder; what it makes goes into the given one.</param>
internal sealed record Deployment(string Name, Func<TestFolder, string> Open)
{
    /// <summary>Whether the client's own tokenizer understands the folder's; without it only ids can be compared.</summary>
    public bool ClientReadsTokenizer { get; init; } = true;

    /// <summary>A folder among the fixtures as it is.</summary>
    public static Deployment Fixture(string model) => new(model, _ => Fixtures.Path("models", model));

    /// <summary>An export of a model, <c>llama-mini/genai</c>, put together with its configuration and the model's tokenizer.</summary>
    public static Deployment Assembled(string export) => new(export, folder =>
    {
        var (model, _) = Exports.Split(export);
        var config = Fixtures.Path("models", $"{export}.genai_config.json");
        File.Copy(config, folder["genai_config.json"]);
        File.Copy(Exports.Path(export), folder[ModelFile(config)]);
        foreach (var file in Directory.GetFiles(Fixtures.Path("models", model, "hf"), "*token*")) File.Copy(file, folder[Path.GetFileName(file)]);
        return folder.Path;
    });

    public override string ToString() => Name;

    private static string ModelFile(string config)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(config));
        return json.RootElement.GetProperty("model").GetProperty("decoder").GetProperty("filename").GetString()!;
    }
}
