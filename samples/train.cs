// Trains an adapter on a table of labels and sentences, evaluates it, folds it into the model and checks the folded file:
//   dotnet run samples/train.cs -- models/roberta-mini models/data/reviews.tsv artifacts/reviews
#:package LoRTA.Onnx.Training@0.1.0
#:package LoRTA.Onnx.Export@0.1.0
#:package Microsoft.ML.OnnxRuntime@1.31.1
#:property PublishAot=false
using LoRTA.Onnx.Export;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;
using Microsoft.ML.Tokenizers;

var (folder, table, output) = (args[0], args[1], args[2]);
var epochs = args.Length > 3 ? int.Parse(args[3]) : 6;
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
foreach (var happened in trainer.Steps(train, new() { Epochs = epochs, Validation = () => validation, KeepBest = "accuracy" }))
    if (happened is EvaluationEvent evaluation) Console.WriteLine($"step {evaluation.Step}: loss {evaluation.Loss:F4}");
Console.WriteLine($"accuracy {trainer.Evaluate(validation).Metrics["accuracy"]:P1}");

var adapter = trainer.ToAdapter();
adapter.Save(Path.Combine(output, "adapter"));
engine.Fold(model, adapter).Save(Path.Combine(output, "merged.onnx"));
var verdict = engine.Compare(model, OnnxModel.Load(Path.Combine(output, "merged.onnx")), new() { Adapter = adapter });
Console.WriteLine($"the folded model differs by {verdict.MaxRelDiff:E1}, same: {verdict.Ok}");
return verdict.Ok ? 0 : 1;
