using System.Text.Json;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests.Tokenizers;

/// <summary>Every id of every <c>tokenizer-cases.json</c>, once per set of files that a folder may hold.</summary>
internal sealed class TokenizerCasesTests
{
    private static readonly TestCaseData[] Folders =
    [
        new TestCaseData("llama-mini", "hf", "tokenizer.json", "tokenizer_config.json").SetArgDisplayNames("llama-mini by tokenizer.json"),
        new TestCaseData("llama-mini", "hf", "tokenizer.model", "tokenizer_config.json").SetArgDisplayNames("llama-mini by tokenizer.model"),
        new TestCaseData("llama-mini", "hf", "tokenizer.model", "tokenizer.model").SetArgDisplayNames("llama-mini by tokenizer.model alone"),
        new TestCaseData("roberta-mini", "", "tokenizer.json", "tokenizer_config.json").SetArgDisplayNames("roberta-mini by tokenizer.json"),
        new TestCaseData("roberta-mini", "", "vocab.json merges.txt", "tokenizer_config.json").SetArgDisplayNames("roberta-mini by vocab.json and merges.txt"),
        new TestCaseData("roberta-mini", "", "vocab.json merges.txt", "special_tokens_map.json").SetArgDisplayNames("roberta-mini by vocab.json and the map of special tokens"),
        new TestCaseData("minilm", "", "tokenizer.json", "tokenizer.json").SetArgDisplayNames("minilm by tokenizer.json alone"),
        new TestCaseData("minilm", "", "vocab.txt", "tokenizer_config.json").SetArgDisplayNames("minilm by vocab.txt"),
        new TestCaseData("minilm", "", "vocab.txt", "vocab.txt").SetArgDisplayNames("minilm by vocab.txt alone"),
        new TestCaseData("esm-mini", "", "vocab.txt", "tokenizer_config.json").SetArgDisplayNames("esm-mini by vocab.txt"),
        new TestCaseData("esm-mini", "", "vocab.txt", "vocab.txt").SetArgDisplayNames("esm-mini by vocab.txt alone"),
        new TestCaseData("smollm2", "", "tokenizer.json", "tokenizer_config.json").SetArgDisplayNames("smollm2 by tokenizer.json"),
    ];

    [TestCaseSource(nameof(Folders))]
    public void Every_case_gives_the_ids_of_Hugging_Face(string model, string folder, string files, string configuration)
    {
        using var copy = new PartialFolder(Fixtures.Path("models", model, folder), [.. files.Split(' '), configuration]);
        var cases = JsonDocument.Parse(File.ReadAllText(Fixtures.Path("models", model, "tokenizer-cases.json"))).RootElement;

        var tokenizer = TextTokenizer.Load(copy.Path);

        using (Assert.EnterMultipleScope())
        {
            foreach (var item in cases.ValueKind == JsonValueKind.Array ? cases.EnumerateArray() : cases.Array("cases")) Check(tokenizer, item);
            foreach (var item in cases.Array("pairs")) Check(tokenizer, item);
            CheckBatch(tokenizer, cases.Find("batch_16"));
        }
    }

    private static void Check(TextTokenizer tokenizer, JsonElement item)
    {
        var text = item.GetProperty("text").GetString()!;
        var bare = Ids(item, item.Find("ids_no_special") is null ? "ids" : "ids_no_special");
        var full = Ids(item, "input_ids") ?? Ids(item, "ids_with_special_tokens") ?? Ids(item, "ids")!;
        var encoded = tokenizer.EncodeWithSpecialTokens(text, item.Text("pair"));

        Assert.That(encoded.Ids, Is.EqualTo(full), () => $"{text} with special tokens");
        if (bare is not null) Assert.That(tokenizer.Encode(text), Is.EqualTo(bare), () => text);
        if (Ids(item, "token_type_ids") is { } types) Assert.That(encoded.TypeIds, Is.EqualTo(types), () => $"{text}: token types");
        if (item.Text("decoded") is { } decoded) Assert.That(tokenizer.Decode(bare!), Is.EqualTo(decoded));
        if (item.Text("pair") is null)
        {
            Assert.That(encoded.Ids.AsSpan(encoded.TextStart, encoded.TextLength).ToArray(), Is.EqualTo(tokenizer.Encode(text)), () => $"{text}: where it lies");
        }
    }

    private static void CheckBatch(TextTokenizer tokenizer, JsonElement? batch)
    {
        if (batch is not { } given) return;
        foreach (var (text, row, mask) in given.Array("texts").Zip(given.Array("input_ids"), given.Array("attention_mask")))
        {
            var length = mask.EnumerateArray().Sum(value => value.GetInt32());
            var expected = row.EnumerateArray().Take(length).Select(id => id.GetInt32());
            Assert.That(tokenizer.EncodeWithSpecialTokens(text.GetString()!, maxLength: 16).Ids, Is.EqualTo(expected), () => $"{text} cut to 16");
        }
    }

    private static int[]? Ids(JsonElement item, string name) => item.Find(name) is { } ids ? [.. ids.EnumerateArray().Select(id => id.GetInt32())] : null;
}
