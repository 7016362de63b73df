using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>What the configuration files beside a model say of it; the first file that says something decides.</summary>
/// <param name="All">The files, those of the deployment before those of the model that it was made from.</param>
internal sealed record ConfigFiles(IReadOnlyList<ConfigFile> All)
{
    private static readonly string[] Names = ["genai_config.json", "generation_config.json", "config.json"];

    /// <summary>Reads the configurations of some folders; those of the first folder go first.</summary>
    /// <exception cref="LortaException">LRT103: a file cannot be read; LRT105: it is no JSON.</exception>
    public static ConfigFiles Read(params IReadOnlyList<string> folders) =>
        new([.. Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).Where(RealPath.HasFile).Select(Parse)]);

    /// <summary>A number that is no less than 0; null where the JSON is none.</summary>
    public static int? Number(JsonElement json) =>
        json.ValueKind is JsonValueKind.Number && json.TryGetInt32(out var number) && number >= 0 ? number : null;

    // GenAI keeps under "model" what the others have at the top.
    private static ConfigFile Parse(string path)
    {
        try
        {
            var json = JsonReading.Parse(File.ReadAllBytes(path));
            return new ConfigFile(path, json.Find("model") is { ValueKind: JsonValueKind.Object } model ? model : json);
        }
        catch (JsonException e)
        {
            throw FileErrors.Corrupt(path, $"is not JSON ({e.Message.Split('\n')[0].TrimEnd('.')})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }
}

/// <summary>A configuration file.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Json">What it says of the model.</param>
internal sealed record ConfigFile(string Path, JsonElement Json);
