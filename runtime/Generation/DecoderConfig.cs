using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>What the files beside a decoder say of generating.</summary>
/// <param name="EndTokens">Tokens that end a text; the first file that names any decides, else the tokenizer.</param>
/// <param name="Positions">Most tokens that the model reads; null where no file says it.</param>
internal sealed record DecoderConfig(IReadOnlySet<int> EndTokens, int? Positions)
{
    /// <summary>Reads the configurations of some folders; those of the first folder go first.</summary>
    /// <exception cref="LortaException">LRT103: a file cannot be read; LRT105: it is no JSON.</exception>
    public static DecoderConfig Read(IReadOnlyList<string> folders, SpecialTokens special)
    {
        var config = ConfigFiles.Read(folders);
        var ends = config.All.Select(EndsOf).FirstOrDefault(ends => ends.Count > 0) ?? (special.Eos is { } eos ? [eos] : []);
        return new DecoderConfig(new SortedSet<int>(ends), config.Positions);
    }

    // One id or several.
    private static List<int> EndsOf(JsonElement file) => file.Find("eos_token_id") switch
    {
        { ValueKind: JsonValueKind.Array } ids => [.. ids.EnumerateArray().Select(ConfigFiles.Number).OfType<int>()],
        { } id when ConfigFiles.Number(id) is { } number => [number],
        _ => [],
    };
}
