using System.Text.Json;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>What tokenizer_config.json says of normalization and splitting; Hugging Face puts it in place of what tokenizer.json
/// says.</summary>
/// <remarks>Only where the whole normalizer is BERT's, or the whole pre-tokenizer is the one on bytes; keys that are absent leave the
/// file as it is.</remarks>
/// <param name="config">The configuration; anything but an object says nothing.</param>
internal sealed class ConfiguredText(JsonElement config)
{
    public bool? PrefixSpace => config.Flag("add_prefix_space");

    public BertText Of(BertText inJson) => inJson with
    {
        LowerCase = config.Flag("do_lower_case") ?? inJson.LowerCase,
        SplitChinese = config.Flag("tokenize_chinese_chars") ?? inJson.SplitChinese,
        StripAccents = IsGiven("strip_accents") ? config.Flag("strip_accents") : inJson.StripAccents,
    };

    // Null is a value here: as the case says.
    private bool IsGiven(string name) => config.ValueKind == JsonValueKind.Object && config.TryGetProperty(name, out _);
}
