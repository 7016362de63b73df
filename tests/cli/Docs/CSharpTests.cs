using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training;
using Microsoft.ML.Tokenizers;

namespace LoRTA.Onnx.Cli.Tests.Docs;

/// <summary>Runs the program of <c>docs/csharp.md</c>.</summary>
internal sealed class CSharpTests
{
    [Test]
    public void The_page_shows_the_methods_that_are_run_here() =>
        Assert.That(PageBlock.Of("docs/csharp.md").Where(block => block.Language == "csharp").Select(block => block.IsMethodOf("tests/cli/Docs/CSharpTests.cs")), Is.EqualTo(new[] { true, true }));

    [Test, Category("Slow")]
    public void It_trains_saves_folds_and_verifies_a_classifier()
    {
        using var folder = new TestFolder();

        var (accuracy, isSame) = Train(Repository.Path("models/roberta-mini"), Repository.Path("models/data/reviews.tsv"), folder.Path);

        Assert.That(accuracy, Is.GreaterThan(0.6));
        Assert.That(isSame);
    }

    [Test, Category("Slow")]
    public void It_trains_and_evaluates_a_recipe()
    {
        using var folder = new TestFolder();
        var heard = new List<TrainingEvent>();

        var loss = Run(Repository.Path("models/recipes/ship-log.yaml"), folder["run"], new Listener(heard), CancellationToken.None);

        Assert.That(loss, Is.EqualTo(heard.OfType<EvaluationEvent>().Min(evaluation => evaluation.Loss)).Within(1e-6));
        Assert.That(heard.OfType<StepEvent>().Count(), Is.EqualTo(20));
        Assert.That(heard.OfType<NoteEvent>(), Is.Not.Empty);
    }

    // page
    private static (double Accuracy, bool IsSame) Train(string folder, string table, string output)
    {
        var tokenizer = BpeTokenizer.Create(new BpeOptions(Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"))
        {
            ByteLevel = true,
            PreTokenizer = RobertaPreTokenizer.Instance,
            UnknownToken = "<unk>",
            BeginningOfSentenceToken = "<s>",
            EndOfSentenceToken = "</s>",
        });
        Example[] rows = [.. File.ReadLines(table).Skip(1).Select(line => line.Split('\t'))
            .Select(cells => new Example([.. tokenizer.EncodeToIds(cells[1])]) { Class = int.Parse(cells[0]) })];
        Batch[] batches = [.. rows.Chunk(16).Select(batch => Batch.Padded(batch, filler: 1))];
        var (train, validation) = (batches[..^4], batches[^4..]);

        using var engine = new OrtEngine();
        var model = OnnxModel.Load(folder);
        using var trainer = new AdapterTrainer(engine, model, new()
        {
            Adapter = new() { Method = "lorta", Rank = 8, Alpha = 16, Targets = ["q", "k", "v", "p"] },
            Task = "classification",
            Trainables = [new() { Match = "classifier.*", LearningRate = 1e-3 }],
            Optimizer = new() { LearningRate = 2e-3 },
            Labels = ["negative", "positive"],
        });
        foreach (var happened in trainer.Steps(train, new() { Epochs = 6, Validation = () => validation, KeepBest = "accuracy" }))
            if (happened is EvaluationEvent evaluation) Console.WriteLine($"step {evaluation.Step}: loss {evaluation.Loss:F4}");

        var adapter = trainer.ToAdapter();
        adapter.Save(Path.Combine(output, "adapter"));
        engine.Fold(model, adapter).Save(Path.Combine(output, "merged.onnx"));
        var merged = OnnxModel.Load(Path.Combine(output, "merged.onnx"));
        var verdict = engine.Compare(model, merged, new() { Adapter = adapter });
        return (trainer.Evaluate(validation).Metrics["accuracy"], verdict.Ok);
    }
    // end

    // page
    private static double Run(string file, string output, IProgress<TrainingEvent> progress, CancellationToken stop)
    {
        var recipe = Recipe.Load(file, ["train.steps=20"]) with { Output = output };
        using var engine = new OrtEngine(new() { Device = recipe.Device });
        var report = recipe.Train(engine, new() { Force = true }, progress, stop);
        return recipe.Evaluate(engine, new() { Adapter = report.Adapter }, progress, stop).Loss;
    }
    // end

    private sealed class Listener(List<TrainingEvent> heard) : IProgress<TrainingEvent>
    {
        public void Report(TrainingEvent value) => heard.Add(value);
    }
}
