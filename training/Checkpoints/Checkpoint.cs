using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Training.Checkpoints;

/// <summary>Everything that a run needs to continue as if it had never stopped; random values need only the seed and the step.</summary>
internal sealed record Checkpoint
{
    /// <summary>Finished optimizer steps.</summary>
    public required long Step { get; init; }

    /// <summary>Where the data continue.</summary>
    public required DataPosition Position { get; init; }

    /// <summary>Trained tensors and the optimizer's state.</summary>
    public required IReadOnlyDictionary<string, OnnxTensor> State { get; init; }

    public required long Seed { get; init; }

    public required RecipeIdentity Recipe { get; init; }

    /// <summary>Threads of the runtime; another number rounds differently.</summary>
    public required int Threads { get; init; }

    /// <summary>The best value so far of the metric that is kept.</summary>
    public double? BestMetric { get; init; }

    /// <summary>The step of <see cref="BestMetric"/>, whose checkpoint stays.</summary>
    public long? BestStep { get; init; }

    /// <summary>Further numbers of the run: evaluations without improvement, loss of the last step.</summary>
    public IReadOnlyDictionary<string, double> Numbers { get; init; } = new SortedDictionary<string, double>(StringComparer.Ordinal);
}
