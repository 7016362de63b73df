using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Training.Tests;

/// <summary>Trainers of a small classifier, and batches that it learns from.</summary>
internal static class SampleTrainer
{
    public static readonly OrtEngine Engine = new(new OrtEngineOptions { Threads = 1 });

    // Tokens of two classes: those of the second have larger ids.
    public static readonly Batch[] Batches =
    [
        .. from batch in Enumerable.Range(0, 4)
           select Batch.Padded([.. from row in Enumerable.Range(0, 4)
                                   let name = row % 2
                                   select new Example([0, .. Enumerable.Range(5 + (40 * name) + batch, 4 + row), 2]) { Class = name }], filler: 1),
    ];

    public static AdapterOptions Allocated => new()
    {
        Method = "adalora",
        Rank = 2,
        Options = new Dictionary<string, string> { ["target"] = "1", ["tinit"] = "1", ["tfinal"] = "1", ["deltaT"] = "2" },
    };

    public static readonly FitOptions Fit = new() { Epochs = 2, Schedule = Schedule.Linear() };

    public static AdapterTrainer Open(
        double learningRate = 1e-2, AdapterOptions? adapter = null, OrtEngine? engine = null, string task = "classification") => new(
        engine ?? Engine,
        OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "roberta-mini")),
        new TrainingOptions
        {
            Adapter = adapter ?? new() { Method = "lorta", Rank = 2, Alpha = 4, Targets = ["q", "v"] },
            Task = task,
            Trainables = [new TrainablePattern { Match = "classifier.out_proj.weight" }],
            Optimizer = new() { LearningRate = learningRate },
            Labels = ["low", "high"],
            Seed = 3,
        });

    public static byte[] Bytes(AdapterTrainer trainer) =>
        [.. trainer.ToAdapter().Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).SelectMany(tensor => tensor.Value.Bytes.ToArray())];
}

/// <summary>Does something after a step of a run.</summary>
internal sealed class AfterStep(long step, Action act) : IProgress<TrainingEvent>
{
    public void Report(TrainingEvent value)
    {
        if (value is StepEvent finished && finished.Step == step) act();
    }
}
