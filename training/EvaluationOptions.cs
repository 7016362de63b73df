using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training;

/// <summary>What is measured.</summary>
public record EvaluationOptions
{
    /// <summary>What holds an adapter, as <see cref="StoredAdapters"/> opens it; null = the base as it is.</summary>
    public string? Adapter { get; init; }

    /// <summary>Another model file than the recipe's, for instance the folded one.</summary>
    public string? Model { get; init; }

    /// <summary>The training copy of the model where there is one already; null = made from the file.</summary>
    public CanonicalModel? Canonical { get; init; }

    /// <summary>Whether the adapter may have been trained on other weights.</summary>
    public bool AllowOtherBase { get; init; }
}
