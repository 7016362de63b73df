using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class DataSourceTests
{
    [TestCase(0.15, 306, 260)]
    [TestCase(0.1, 10, 9)]
    [TestCase(0.9, 10, 1)]
    [TestCase(0.3, 10, 7)]
    [TestCase(0.0, 10, 10)]
    [TestCase(0.2, 150, 120)]
    public void The_training_share_is_exact(double validationFraction, int rows, int expected) =>
        Assert.That(DataSource.TrainingRows(validationFraction, rows), Is.EqualTo(expected));

    // The yardstick of the fixtures: 3,213 held-out labels in rows of 64.
    [Test]
    public void The_ships_log_packs_into_the_rows_of_the_yardstick()
    {
        var options = new DataOptions
        {
            Train = Fixtures.Path("data", "own", "ship-log.txt"),
            ValidationFraction = 0.15,
            Packing = true,
            MaxLength = 64,
        };

        var data = new DataSource(Context("causal-lm", options, Llama())).Load();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(data.Validation!.InOrder().Sum(batch => batch.LabelsFor(LortaCatalog.Default.LossOf("causal-lm"))), Is.EqualTo(3213));
            Assert.That(data.Validation.InOrder().First().Inputs["input_ids"].ToLongs()[0], Is.EqualTo(1));
            Assert.That(data.Train.From(default).Take(data.Train.BatchesPerEpoch).Sum(batch => batch.Tokens), Is.EqualTo(64L * data.Train.Count));
        }
    }

    [Test]
    public void Any_position_gives_the_same_batches_again()
    {
        var stream = Load(Sentences(Fixtures.Path("data", "own", "reviews.tsv")) with { MaxLength = 24 }).Train;
        var all = stream.From(default).Take(stream.BatchesPerEpoch * 2).ToList();

        for (var i = 0; i + 1 < all.Count; i += 7)
        {
            var resumed = stream.From(all[i].Next).Take(all.Count - i - 1);
            Assert.That(resumed.Select(Print), Is.EqualTo(all.Skip(i + 1).Select(Print)), $"after batch {i}");
        }
    }

    [Test]
    public void Validation_rows_come_from_their_own_file()
    {
        var (train, validation) = (Fixtures.Path("data", "real", "sst2", "train.tsv"), Fixtures.Path("data", "real", "sst2", "validation.tsv"));

        var data = Load(Sentences(train) with { Validation = validation });

        Assert.That((data.Train.Count, data.Validation!.Count), Is.EqualTo((4000, 872)));
    }

    [Test]
    public void Evaluation_leads_back_to_the_rows()
    {
        var stream = Load(Sentences(Fixtures.Path("data", "own", "reviews.tsv"))).Train;

        Assert.That(stream.InOrder().SelectMany(batch => batch.Indices), Is.EquivalentTo(Enumerable.Range(0, 500)));
    }

    [Test]
    public void Too_little_text_for_one_packed_row_is_said()
    {
        using var folder = new PartialFolder(string.Empty);
        var options = new DataOptions { Train = folder.Write("a.txt", "short"), Packing = true, MaxLength = 64 };

        Assert.That(() => new DataSource(Context("causal-lm", options, Llama())).Load(), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT512"));
    }

    private static DataOptions Sentences(string train) => new() { Train = train, Columns = new() { Text = "sentence" } };

    private static (DataStream Train, DataStream? Validation) Load(DataOptions options) =>
        new DataSource(Context("classification", options, TextTokenizer.Load(Fixtures.Path("models", "roberta-mini")))).Load();

    private static DataContext Context(string task, DataOptions options, TextTokenizer tokenizer) =>
        new(new Recipe { Model = "unused", Task = task, Data = options, Seed = 3, Train = new() { BatchSize = 8 } }, tokenizer);

    private static TextTokenizer Llama() => TextTokenizer.Load(Fixtures.Path("models", "llama-mini", "hf"));

    private static string Print(Batch batch) => string.Join(' ', batch.Inputs["input_ids"].ToLongs());
}
