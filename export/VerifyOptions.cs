using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Export;

/// <summary>What two models are compared on.</summary>
public sealed record VerifyOptions
{
    /// <summary>The adapter beside the first model; null = the model as it is.</summary>
    public Adapter? Adapter { get; init; }

    /// <summary>Inputs from a file; null = seeded random tokens.</summary>
    public string? Inputs { get; init; }

    /// <summary>Random rows; the last two are padded.</summary>
    public int Samples { get; init; } = 4;

    /// <summary>Length of random rows; null = 32, fewer for a large model.</summary>
    public int? Length { get; init; }

    /// <summary>Seed of the random tokens.</summary>
    public long Seed { get; init; }

    /// <summary>Largest relative difference that passes; null = 1e-5; 5e-3 where weights are stored in 16 bits; for an adapter half
    /// of its effect where they are stored in 8 bits or fewer.</summary>
    public double? Tolerance { get; init; }

    /// <summary>Accept a base with other weights than the adapter was trained on.</summary>
    public bool AllowOtherBase { get; init; }

    /// <summary>Told how far it is; null = nobody is.</summary>
    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>Leave out what only <see cref="VerifyResult.DeployedMaxAbsDiff"/> needs.</summary>
    public bool CanonicalOnly { get; init; }

    /// <summary>Batches of a data set in place of random tokens, inputs by name.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>>? Batches { get; init; }

    /// <summary>Batches on which activations are measured before weights are rounded; null = those that are compared on, and more random
    /// ones.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>>? Calibration { get; init; }
}
