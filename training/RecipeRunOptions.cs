using LoRTA.Onnx.Training.Runtime;
using LoRTA.Onnx.Training.Tracking;

namespace LoRTA.Onnx.Training;

/// <summary>How the run of a recipe is started.</summary>
public sealed record RecipeRunOptions
{
    /// <summary>The file that the recipe was read from; null for one that was made in code.</summary>
    public string? RecipePath { get; init; }

    /// <summary>Whether to continue from the newest checkpoint of the run folder.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether an existing run may be replaced.</summary>
    public bool Force { get; init; }

    /// <summary>What trains, one of <see cref="Runtimes"/>.</summary>
    public string Runtime { get; init; } = Runtimes[0];

    /// <summary><c>ort-session</c>: plain ONNX Runtime; <c>ort-training</c>: the training sessions of a native library that has
    /// them.</summary>
    public static IReadOnlyList<string> Runtimes => TrainingRuntimes.Names;

    /// <summary>Opens a runtime that has no name; null = that of <see cref="Runtime"/>.</summary>
    internal OpenTrainingRuntime? Open { get; init; }

    /// <summary>Makes the page <c>report.html</c> from what <c>report.md</c> is made of; null = there is none.</summary>
    public Func<RunRecord, string>? Page { get; init; }
}
