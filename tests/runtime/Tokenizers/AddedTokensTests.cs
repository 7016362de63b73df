using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests.Tokenizers;

/// <summary>Tokens that are added to a vocabulary, in both files that may name them. Expected ids are those of Hugging Face's tokenizers.</summary>
internal sealed class AddedTokensTests
{
    private const string Uncased = """
        {"added_tokens": [{"id": 1, "content": "[UNK]", "special": true, "normalized": false}, ADDED],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "hello": 4, "world": 5, "tag": 6, "<": 7, ">": 8, "x": 9, "_": 11}}}
        """;

    // Prepend and Replace, as Llama's tokenizer.json has them.
    private const string Llama = """
        {"added_tokens": [{"id": 0, "content": "<s>", "special": true, "normalized": false}, {"id": 9, "content": "<TAG>", "special": false, "normalized": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": []},
         "model": {"type": "BPE", "vocab": {"<s>": 0, "▁": 1, "x": 2, "y": 3, "<": 4, "T": 5, "A": 6, "G": 7, ">": 8}, "merges": []}}
        """;

    [TestCase("hello <TAG> world", new[] { 4, 10, 5 })]
    [TestCase("hello <tag> world", new[] { 4, 10, 5 })]
    [TestCase("x<TAG>x", new[] { 9, 10, 9 })]
    public void Normalized_tokens_are_found_in_normalized_text(string text, int[] ids) =>
        Assert.That(Load(Uncased.Replace("ADDED", """{"id": 10, "content": "<TAG>", "normalized": true, "special": false}""", StringComparison.Ordinal)).Encode(text), Is.EqualTo(ids));

    [Test]
    public void Other_tokens_are_found_as_they_are_written()
    {
        var tokenizer = Load(Uncased.Replace("ADDED", """{"id": 10, "content": "<TAG>", "normalized": false, "special": false}""", StringComparison.Ordinal));

        Assert.That(tokenizer.Encode("<TAG> <tag>"), Is.EqualTo([10, 7, 6, 8]));
    }

    [TestCase("CAFÉ", "un CAFÉ", new[] { 1, 10 }, TestName = "Accents and case go from the token as from the text")]
    [TestCase("X", "world X worlx", new[] { 5, 10, 1 }, TestName = "A single word is none inside another")]
    public void Words_are_normalized_before_they_are_compared(string content, string text, int[] ids)
    {
        var tokenizer = Load(Uncased.Replace("ADDED", $$"""{"id": 10, "content": "{{content}}", "normalized": true, "special": false, "single_word": true}""", StringComparison.Ordinal));

        Assert.That(tokenizer.Encode(text), Is.EqualTo(ids));
    }

    [Test]
    public void A_mark_that_the_normalizer_puts_first_belongs_to_the_token() =>
        Assert.That(Load(Llama).Encode("x<TAG>y <TAG> x"), Is.EqualTo([1, 2, 4, 5, 6, 7, 8, 3, 9, 1, 2]));

    [Test]
    public void Tokens_that_strip_take_the_white_space_around_them()
    {
        var tokenizer = Load(Uncased.Replace("ADDED", """{"id": 10, "content": "<T>", "normalized": false, "special": true, "lstrip": true, "rstrip": true}""", StringComparison.Ordinal));

        Assert.That(tokenizer.Encode("x  <T>  <T> x"), Is.EqualTo([9, 10, 10, 9]));
    }

    [Test]
    public void Field_case_of_a_normalized_token_in_llama_text()
    {
        using var folder = new PartialFolder(Fixtures.Path("models", "llama-mini", "hf"), "tokenizer.json", "tokenizer_config.json");
        var path = Path.Combine(folder.Path, "tokenizer_config.json");
        folder.Write("tokenizer_config.json", File.ReadAllText(path).Replace("\"added_tokens_decoder\": {", "\"added_tokens_decoder\": {\"1024\": {\"content\": \"<TAG>\", \"normalized\": true, \"special\": false},", StringComparison.Ordinal));

        var ids = TextTokenizer.Load(folder.Path).EncodeWithSpecialTokens("x<TAG>y <TAG> z").Ids;

        Assert.That(ids, Is.EqualTo([1, 958, 1012, 63, 986, 983, 994, 65, 975, 1024, 958, 1009]));
    }

    [TestCase("tokenizer.json")]
    [TestCase("tokenizer.model")]
    public void A_token_that_only_the_configuration_lists_is_known(string file)
    {
        using var folder = new PartialFolder(Fixtures.Path("models", "llama-mini", "hf"), file, "tokenizer_config.json");
        var config = File.ReadAllText(Path.Combine(folder.Path, "tokenizer_config.json"));
        folder.Write("tokenizer_config.json", config.Replace("\"added_tokens_decoder\": {", "\"added_tokens_decoder\": {\"1024\": {\"content\": \"<TAG>\", \"normalized\": false, \"special\": true},", StringComparison.Ordinal));
        var tokenizer = TextTokenizer.Load(folder.Path);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(tokenizer.Encode("the<TAG>the"), Is.EqualTo([261, 1024, 261]));
            Assert.That(tokenizer.VocabularySize, Is.EqualTo(1025));
            Assert.That(tokenizer.Special.All, Does.Contain(1024));
        }
    }

    [TestCase("tokenizer.json")]
    [TestCase("tokenizer.model")]
    public void A_normalized_token_has_one_meaning_whichever_file_is_there(string file)
    {
        using var folder = new PartialFolder(Fixtures.Path("models", "llama-mini", "hf"), file, "tokenizer_config.json");
        var config = File.ReadAllText(Path.Combine(folder.Path, "tokenizer_config.json"));
        folder.Write("tokenizer_config.json", config.Replace("\"added_tokens_decoder\": {", "\"added_tokens_decoder\": {\"1024\": {\"content\": \"<TAG>\", \"normalized\": true, \"special\": false},", StringComparison.Ordinal));

        Assert.That(TextTokenizer.Load(folder.Path).Encode("x<TAG>y <TAG> z"), Is.EqualTo([958, 1012, 63, 986, 983, 994, 65, 975, 1024, 958, 1009]));
    }

    [TestCase("LlamaTokenizer", "\"add_bos_token\": false", new[] { 1, 2 })]
    [TestCase("LlamaTokenizerFast", "\"add_eos_token\": true", new[] { 0, 1, 2, 8 })]
    [TestCase("GemmaTokenizer", "\"add_bos_token\": true, \"add_eos_token\": true", new[] { 0, 1, 2, 8 })]
    [TestCase("CodeLlamaTokenizer", "\"legacy\": true", new[] { 0, 1, 2 })]
    [TestCase("PreTrainedTokenizerFast", "\"add_bos_token\": false", new[] { 0, 1, 2 })]
    public void The_flags_of_the_configuration_decide_about_both_ends_for_classes_that_read_them(string type, string flags, int[] ids)
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", Llama);
        folder.Write("tokenizer_config.json", $$"""{"tokenizer_class": "{{type}}", "bos_token": "<s>", "eos_token": ">", {{flags}}}""");

        Assert.That(TextTokenizer.Load(folder.Path).EncodeWithSpecialTokens("x").Ids, Is.EqualTo(ids));
    }

    [TestCase("""{}""", new[] { 4, 5 })]
    [TestCase("""{"do_lower_case": false}""", new[] { 1, 5 })]
    [TestCase("""{"do_lower_case": null}""", new[] { 4, 5 })]
    public void The_case_is_that_of_the_configuration(string config, int[] ids)
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", Uncased.Replace(", ADDED", string.Empty, StringComparison.Ordinal));
        folder.Write("tokenizer_config.json", config);

        Assert.That(TextTokenizer.Load(folder.Path).Encode("HELLO world"), Is.EqualTo(ids));
    }

    [TestCase("""{}""", new[] { 0, 1 })]
    [TestCase("""{"add_prefix_space": false}""", new[] { 1 })]
    public void The_space_before_a_text_is_that_of_the_configuration(string config, int[] ids)
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", """
            {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true, "use_regex": true}, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"Ġ": 0, "a": 1}, "merges": []}}
            """);
        folder.Write("tokenizer_config.json", config);

        Assert.That(TextTokenizer.Load(folder.Path).Encode("a"), Is.EqualTo(ids));
    }

    [Test]
    public void An_id_of_two_tokens_is_refused()
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", Llama);
        folder.Write("tokenizer_config.json", """{"added_tokens_decoder": {"3": {"content": "<new>"}}}""");

        Assert.That(() => TextTokenizer.Load(folder.Path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT502")
            .And.Message.Contains("the id 3 of '<new>' is that of 'y' in tokenizer.json"));
    }

    [TestCase("""{"added_tokens_decoder": {"x": {"content": "<new>"}}}""")]
    [TestCase("""{"added_tokens_decoder": {"-1": {"content": "<new>"}}}""")]
    [TestCase("""{"added_tokens_decoder": {"2147483647": {"content": "<new>"}}}""")]
    [TestCase("""{"add_bos_token": true, "tokenizer_class": "\ud83d"}""")]
    [TestCase("""{"bos_token": "\ud83d"}""")]
    [TestCase("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")]
    public void A_damaged_configuration_is_named(string config)
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", Llama);
        folder.Write("tokenizer_config.json", config);

        Assert.That(() => TextTokenizer.Load(folder.Path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT502").And.Message.Contains("tokenizer_config.json"));
    }

    private static TextTokenizer Load(string json)
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", json);
        return TextTokenizer.Load(folder.Path);
    }
}
