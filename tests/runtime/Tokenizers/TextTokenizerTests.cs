using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests.Tokenizers;

internal sealed class TextTokenizerTests
{
    private const string WordsJson = """
        {"added_tokens": [{"id": 9, "content": "<x>", "special": true}],
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true}, {"type": "ByteLevel", "add_prefix_space": true, "use_regex": true}]},
         "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {"Ġ": 0, "a": 1, "b": 2, "1": 3, "2": 4, "12": 5, "Ġa": 6, "ab": 7}, "merges": ["1 2", "Ġ a", "a b"]}}
        """;

    [Test]
    public void Special_tokens_have_the_ids_of_the_configuration()
    {
        var llama = TextTokenizer.Load(Fixtures.Path("models", "llama-mini", "hf")).Special;
        var roberta = TextTokenizer.Load(Fixtures.Path("models", "roberta-mini")).Special;
        var bert = TextTokenizer.Load(Fixtures.Path("models", "minilm")).Special;

        using (Assert.EnterMultipleScope())
        {
            Assert.That((llama.Bos, llama.Eos, llama.Pad, llama.Unk, llama.Mask), Is.EqualTo(((int?)1, (int?)2, (int?)2, (int?)0, (int?)null)));
            Assert.That((roberta.Bos, roberta.Eos, roberta.Pad, roberta.Mask, roberta.Cls), Is.EqualTo(((int?)0, (int?)2, (int?)1, (int?)2047, (int?)0)));
            Assert.That((bert.Cls, bert.Sep, bert.Pad, bert.Mask, bert.Bos), Is.EqualTo(((int?)101, (int?)102, (int?)0, (int?)103, (int?)null)));
            Assert.That(bert.All, Is.EqualTo(new[] { 0, 100, 101, 102, 103 }));
        }
    }

    [TestCase("llama-mini/hf", "SentencePiece BPE")]
    [TestCase("roberta-mini", "byte-level BPE")]
    [TestCase("minilm", "WordPiece")]
    [TestCase("esm-mini", "alphabet")]
    [TestCase("smollm2", "byte-level BPE")]   // although its file asks for a fallback to bytes
    public void Kind_is_what_the_algorithm_is_called(string folder, string kind) =>
        Assert.That(TextTokenizer.Load(Fixtures.Path(["models", .. folder.Split('/')])).Kind, Is.EqualTo(kind));

    [TestCase("llama-mini/hf", 1024)]
    [TestCase("roberta-mini", 2048)]
    [TestCase("minilm", 30522)]
    [TestCase("esm-mini", 33)]
    [TestCase("smollm2", 49152)]
    public void Vocabulary_size_counts_all_ids(string folder, int size) =>
        Assert.That(TextTokenizer.Load(Fixtures.Path(["models", .. folder.Split('/')])).VocabularySize, Is.EqualTo(size));

    [Test]
    public void Special_tokens_in_Llama_text_are_found_and_what_follows_starts_anew()
    {
        var tokenizer = TextTokenizer.Load(Fixtures.Path("models", "llama-mini", "hf"));

        Assert.That(tokenizer.Encode("the<s>the</s>"), Is.EqualTo([261, 1, 261, 2]));
    }

    [Test]
    public void Both_files_of_a_Llama_tokenizer_agree_on_the_ships_log()
    {
        using var pieces = new PartialFolder(Fixtures.Path("models", "llama-mini", "hf"), "tokenizer.model", "tokenizer_config.json");
        var (bySentencePiece, byJson) = (TextTokenizer.Load(pieces.Path), TextTokenizer.Load(Fixtures.Path("models", "llama-mini", "hf")));
        var text = File.ReadAllText(Fixtures.Path("data", "own", "ship-log.txt"));

        var ids = bySentencePiece.Encode(text);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ids, Is.EqualTo(byJson.Encode(text)));
            Assert.That(bySentencePiece.Decode(ids), Is.EqualTo(text));
        }
    }

    [Test]
    public void Decoding_leaves_special_tokens_out()
    {
        var roberta = TextTokenizer.Load(Fixtures.Path("models", "roberta-mini"));
        var bert = TextTokenizer.Load(Fixtures.Path("models", "minilm"));
        var esm = TextTokenizer.Load(Fixtures.Path("models", "esm-mini"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(roberta.Decode(roberta.EncodeWithSpecialTokens("Grüße, 日本 and 😀").Ids), Is.EqualTo("Grüße, 日本 and 😀"));
            Assert.That(bert.Decode(bert.EncodeWithSpecialTokens("Hello, world! It's embeddings.").Ids), Is.EqualTo("hello, world! it ' s embeddings."));
            Assert.That(esm.Decode(esm.EncodeWithSpecialTokens("MKT").Ids), Is.EqualTo("M K T"));
        }
    }

    // Hugging Face's longest_first: room for 3 of 6 and 2 tokens keeps 2 and 1 of them, not 1 and 2.
    [TestCase(8, 4, 1)]
    [TestCase(7, 3, 1)]
    [TestCase(6, 2, 1)]
    [TestCase(5, 1, 1)]
    [TestCase(4, 1, 0)]
    public void A_pair_is_cut_longest_first(int maxLength, int first, int second)
    {
        var tokenizer = TextTokenizer.Load(Fixtures.Path("models", "minilm"));

        var encoded = tokenizer.EncodeWithSpecialTokens("a b c d e f", "g", maxLength);

        Assert.That((encoded.TextLength, encoded.TypeIds.Count(type => type == 1) - 1), Is.EqualTo((first, second)));
    }

    [Test]
    public void Digits_are_parted_and_each_stretch_gets_its_prefix_space()
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", WordsJson);
        var tokenizer = TextTokenizer.Load(folder.Path);

        Assert.That(tokenizer.Encode("a12<x>ab"), Is.EqualTo([6, 0, 3, 0, 4, 9, 6, 2]));
    }

    [Test]
    public void A_byte_order_mark_is_no_part_of_a_file()
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", "\uFEFF" + WordsJson);
        folder.Write("tokenizer_config.json", "\uFEFF{}");

        Assert.That(TextTokenizer.Load(folder.Path).Encode("a"), Is.EqualTo([6]));
    }

    [Test]
    public void Word_lists_may_have_a_byte_order_mark_and_any_line_ends()
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("vocab.txt", "\uFEFF[PAD]\r[UNK]\r[CLS]\r[SEP]\rhello\r");

        Assert.That(TextTokenizer.Load(folder.Path).EncodeWithSpecialTokens("hello").Ids, Is.EqualTo([2, 4, 3]));
    }

    [Test]
    public void A_pattern_that_nests_repetitions_takes_no_longer_than_another()
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", WithNormalizer("(a+)+$"));
        var tokenizer = TextTokenizer.Load(folder.Path);

        Assert.That(tokenizer.Encode(new string('a', 60) + "!"), Has.Length.EqualTo(60));
    }

    [Test]
    public void A_pattern_that_only_backtracking_can_express_is_stopped()
    {
        using var folder = new PartialFolder(string.Empty);
        var path = folder.Write("tokenizer.json", WithNormalizer("(?=a)(a+)+$"));
        var tokenizer = TextTokenizer.Load(folder.Path);

        Assert.That(() => tokenizer.Encode(new string('a', 60) + "!"), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT517")
            .And.Message.EqualTo($"{path}: the pattern '(?=a)(a+)+$' takes more than 5 s on a text of 61 characters."));
    }

    [Test]
    public void A_folder_without_a_tokenizer_is_named()
    {
        using var folder = new PartialFolder(string.Empty);

        Assert.That(() => TextTokenizer.Load(folder.Path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT501").And.Message.Contains(folder.Path));
    }

    [TestCase("tokenizer.json", "{ not json")]
    [TestCase("tokenizer.json", "{}")]
    [TestCase("tokenizer.json", """{"model": {"type": "BPE", "vocab": 3}}""")]
    [TestCase("tokenizer.model", "no protobuf")]
    [TestCase("vocab.txt", "one\ntwo")]
    public void A_damaged_file_is_named(string name, string text)
    {
        using var folder = new PartialFolder(string.Empty);
        var path = folder.Write(name, text);

        Assert.That(() => TextTokenizer.Load(folder.Path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT502").And.Message.StartsWith(path));
    }

    private static string WithNormalizer(string pattern) =>
        $$$"""{"normalizer": {"type": "Replace", "pattern": {"Regex": "{{{pattern}}}"}, "content": "x"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""";

    [TestCase("""{"model": {"type": "Unigram", "vocab": [["a", 0.5]]}}""", "Unigram")]
    [TestCase("""{"normalizer": {"type": "NFKC"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""", "NFKC")]
    public void What_cannot_be_done_exactly_is_refused(string json, string what)
    {
        using var folder = new PartialFolder(string.Empty);
        folder.Write("tokenizer.json", json);

        Assert.That(() => TextTokenizer.Load(folder.Path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT503").And.Message.Contains(what));
    }
}
