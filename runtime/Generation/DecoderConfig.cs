using System.Text.Json;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>What the files beside a decoder say of generating.</summary>
/// <param name="EndTokens">Tokens that end a text; the first file that names any decides, else the tokenizer.</param>
internal sealed record DecoderConfig(IReadOnlySet<int> EndTokens)
{
    /// <summary>Reads the configurations of some folders; those of the first folder go first.</summary>
    /// <exception cref="LortaException">LRT103: a file cannot be read; LRT105: it is no JSON.</exception>
    public static DecoderConfig Read(IReadOnlyList<string> folders, SpecialTokens special)
    {
        var ends = ConfigFiles.Read(folders).All.Select(EndsOf).FirstOrDefault(ends => ends.Count > 0)
            ?? (special.Eos is { } eos ? [eos] : []);
        return new DecoderConfig(new SortedSet<int>(ends));
    }

    // One id or several.
    private static List<int> EndsOf(ConfigFile file) => file.Json.Find("eos_token_id") switch
    {
        { ValueKind: JsonValueKind.Array } ids => [.. ids.EnumerateArray().Select(ConfigFiles.Number).OfType<int>()],
        { } id when ConfigFiles.Number(id) is { } number => [number],
        _ => [],
    };
}
