using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>What the files beside a decoder say of generating.</summary>
/// <param name="EndTokens">Tokens that end a text; the first file that names any decides, else the tokenizer.</param>
/// <param name="Positions">Most tokens that the model reads; null where no file says it.</param>
internal sealed record DecoderConfig(IReadOnlySet<int> EndTokens, int? Positions)
{
    private static readonly string[] EndFiles = ["genai_config.json", "generation_config.json", "config.json"];
    private static readonly string[] PositionKeys = ["context_length", "max_position_embeddings", "n_positions"];

    /// <summary>Reads the configurations of some folders; those of the first folder go first.</summary>
    /// <exception cref="LortaException">LRT103: a file cannot be read; LRT105: it is no JSON.</exception>
    public static DecoderConfig Read(IReadOnlyList<string> folders, SpecialTokens special)
    {
        var files = EndFiles.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).Where(RealPath.HasFile)
            .Select(Parse).ToList();
        var ends = files.Select(EndsOf).FirstOrDefault(ends => ends.Count > 0) ?? (special.Eos is { } eos ? [eos] : []);
        var positions = files.SelectMany(file => PositionKeys.Select(key => file.Find(key)))
            .OfType<JsonElement>()
            .Select(Number)
            .OfType<int>();
        return new DecoderConfig(new SortedSet<int>(ends), positions.Cast<int?>().FirstOrDefault());
    }

    // One id or several.
    private static List<int> EndsOf(JsonElement file) => file.Find("eos_token_id") switch
    {
        { ValueKind: JsonValueKind.Array } ids => [.. ids.EnumerateArray().Select(Number).OfType<int>()],
        { } id when Number(id) is { } number => [number],
        _ => [],
    };

    private static int? Number(JsonElement json) =>
        json.ValueKind is JsonValueKind.Number && json.TryGetInt32(out var number) && number >= 0 ? number : null;

    // GenAI keeps under "model" what the others have at the top.
    private static JsonElement Parse(string path)
    {
        try
        {
            var json = JsonReading.Parse(File.ReadAllBytes(path));
            return json.Find("model") is { ValueKind: JsonValueKind.Object } model ? model : json;
        }
        catch (JsonException e)
        {
            throw FileErrors.Corrupt(path, $"is no JSON ({e.Message.Split('\n')[0].TrimEnd('.')})");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }
}
