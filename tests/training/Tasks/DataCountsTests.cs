using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runs;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Tasks;

/// <summary>Nothing is cut or dropped in silence: every task counts it.</summary>
internal sealed class DataCountsTests
{
    private static readonly DataOptions Options = new() { Train = "unused" };

    [Test]
    public void Entries_that_are_too_long_lose_counted_tokens()
    {
        var counts = Count("causal-lm", "llama-mini/hf", Options with { MaxLength = 4 }, Row(("text", "the")), Row(("text", "the the the the")));

        Assert.That(counts, Is.EqualTo(new DataCounts { Rows = 2, Cut = 1, TokensCut = 2, WithoutLabel = 0, Empty = 0 }));
    }

    [Test]
    public void A_completion_that_is_cut_away_drops_its_entry()
    {
        var options = Options with { MaxLength = 3, Template = new("{q}", "{a}") };

        var counts = Count("causal-lm", "llama-mini/hf", options, Row(("q", "the the the"), ("a", "the")), Row(("q", "the"), ("a", "the")));

        Assert.That(counts, Is.EqualTo(new DataCounts { Rows = 2, Cut = 2, TokensCut = 3 + 1, WithoutLabel = 1, Empty = 0 }));
    }

    [Test]
    public void Packing_loses_the_tail_of_the_stream()
    {
        var options = Options with { MaxLength = 4, Packing = true };

        var counts = Count("causal-lm", "llama-mini/hf", options, Row(("text", "the the")), Row(("text", "the")), Row(("text", "the")));

        Assert.That(counts, Is.EqualTo(new DataCounts { Rows = 3, Cut = 1, TokensCut = 2, WithoutLabel = 0, Empty = 0 }));
    }

    [Test]
    public void Both_texts_of_a_pair_count()
    {
        var options = Options with { MaxLength = 5, Columns = new() { Text = "a", Pair = "b" } };

        var counts = Count("classification", "minilm", options, Row(("a", "hello hello"), ("b", "world world"), ("label", "0")), Row(("a", "hello"), ("b", ""), ("label", "1")));

        Assert.That(counts, Is.EqualTo(new DataCounts { Rows = 2, Cut = 1, TokensCut = 2, WithoutLabel = 0, Empty = 1 }));
    }

    [Test]
    public void Rows_of_residues_without_a_label_that_counts_are_dropped()
    {
        var options = Options with { Labels = ["H", "E"], MaxLength = 4, Columns = new() { Mask = "mask" } };

        var counts = Count("token-classification", "esm-mini", options,
            Row(("text", "MKTA"), ("label", "HHEE"), ("mask", "0011")), Row(("text", "MK"), ("label", "HE"), ("mask", "01")));

        Assert.That(counts, Is.EqualTo(new DataCounts { Rows = 2, Cut = 1, TokensCut = 2, WithoutLabel = 1, Empty = 0 }));
    }

    [Test]
    public void Rows_to_be_predicted_stay_without_labels()
    {
        var options = Options with { Columns = new() { Label = null! } };

        Assert.That(Count("token-classification", "esm-mini", options, Row(("text", "MK"))).WithoutLabel, Is.Zero);
    }

    [Test]
    public void Masked_rows_without_tokens_of_their_own_are_dropped()
    {
        var counts = Count("masked-lm", "minilm", Options with { MaxLength = 3 }, Row(("text", "hello world")), Row(("text", " ")));

        Assert.That(counts, Is.EqualTo(new DataCounts { Rows = 2, Cut = 1, TokensCut = 1, WithoutLabel = 1, Empty = 0 }));
    }

    [TestCase("{\"text\": null, \"label\": 0}")]
    [TestCase("{\"text\": \" \", \"label\": 0}")]
    public void Null_and_blank_texts_are_counted(string json) =>
        Assert.That(Count("classification", "minilm", Options, Read(json)).Empty, Is.EqualTo(1));

    [TestCase("{a} {b}", 1, TestName = "A null in a template is counted")]
    [TestCase("{a} {c}", 0, TestName = "An empty column in a template is as the data say")]
    public void Templates_count_what_is_missing(string template, int expected) =>
        Assert.That(Count("causal-lm", "llama-mini/hf", Options with { Template = new(string.Empty, template) }, Read("""{"a": "x", "b": null, "c": ""}""")).Empty, Is.EqualTo(expected));

    [TestCase("causal-lm", "llama-mini/hf", """{"text": ["a", "b"]}""")]
    [TestCase("classification", "minilm", """{"text": [{"role": "user"}], "label": 0}""")]
    [TestCase("token-classification", "minilm", """{"text": [["a"]], "label": [0]}""")]
    public void A_list_is_no_text(string task, string model, string json)
    {
        var tokenizer = Tokenizer(model);

        Assert.That(() => Encoder(task, Options, tokenizer).Encode([Read(json)]), Throws.TypeOf<LortaException>()
            .With.Property("Code").EqualTo("LRT515").And.Message.Match("a.jsonl, line 1: the column 'text' holds a list( of objects or lists)?, where a text is needed\\.$"));
    }

    [TestCase("{messages}", """{"messages": [{"role": "user", "content": "x"}]}""", "LRT515")]
    [TestCase("{words}", """{"words": ["a", "b"]}""", "LRT515")]
    [TestCase("{message}", """{"message": {"role": "user", "content": "x"}}""", "LRT505")]
    public void A_template_takes_no_list_and_no_object(string template, string json, string code)
    {
        var encoder = Encoder("causal-lm", Options with { Template = new("Answer:", template) }, Tokenizer("llama-mini/hf"));

        Assert.That(() => encoder.Encode([Read(json)]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo(code));
    }

    [Test]
    public void A_list_may_hold_the_words_that_labels_belong_to() =>
        Assert.That(Count("token-classification", "roberta-mini", Options with { Labels = ["O", "B"] }, Read("""{"text": ["hello", "world"], "label": ["B", "O"]}""")).Rows, Is.EqualTo(1));

    [Test]
    public void A_length_without_room_for_text_is_refused()
    {
        using var folder = new PartialFolder(string.Empty);
        var options = Options with { Train = folder.Write("a.tsv", "text\tlabel\nx\t0\n"), MaxLength = 2 };

        var tokenizer = Tokenizer("minilm");   // where it is missing, the test is skipped here

        Assert.That(() => new DataSource(Context("classification", options, tokenizer)).Load(), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT516")
            .And.Message.EqualTo("data.maxLength: 2 leaves no room for text besides the tokenizer's 2 special tokens."));
    }

    private static DataCounts Count(string task, string model, DataOptions options, params DataRow[] rows) =>
        Encoder(task, options, Tokenizer(model)).Encode(rows).Counts;

    private static IRowEncoder Encoder(string task, DataOptions options, TextTokenizer tokenizer) =>
        TrainingTasks.Find(task)!.Encoder(Context(task, options, tokenizer));

    private static DataContext Context(string task, DataOptions options, TextTokenizer tokenizer) =>
        new(new Recipe { Model = "unused", Task = task, Data = options }, tokenizer);

    private static DataRow Row(params (string Column, string Text)[] cells) =>
        new("rows", 1, new(cells.Select(cell => KeyValuePair.Create(cell.Column, cell.Text)), StringComparer.Ordinal));

    private static DataRow Read(string json)
    {
        using var folder = new PartialFolder(string.Empty);
        return RowReader.Read(folder.Write("a.jsonl", json))[0];
    }

    private static TextTokenizer Tokenizer(string model) => TextTokenizer.Load(Fixtures.Path(["models", .. model.Split('/')]));
}
