namespace Cake.LoRTA;

/// <summary>The result of <c>lorta train</c>.</summary>
public sealed record LortaTrainResult
{
    /// <summary>Optimizer steps that were made, in all.</summary>
    public required long Steps { get; init; }

    /// <summary>Optimizer steps that the recipe asks for.</summary>
    public required long PlannedSteps { get; init; }

    /// <summary>Loss on the validation data, of the state that was kept; null where there are no such data.</summary>
    public double? Loss { get; init; }

    /// <summary>The step after which <see cref="Loss"/> and <see cref="Metrics"/> were measured.</summary>
    public long? LossStep { get; init; }

    /// <summary>Loss on the validation data before the first step of a fresh adapter; null where it was not measured.</summary>
    public double? BaseLoss { get; init; }

    /// <summary>Loss on the validation data of the adapter that the run continues from; null where there is none.</summary>
    public double? StartLoss { get; init; }

    /// <summary>Settings that are probably not intended, each with what to do about it.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Metrics of the task by name, for instance <c>accuracy</c>.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Rows learned from per second of the steps.</summary>
    public required double SamplesPerSecond { get; init; }

    /// <summary>Tokens learned from per second of the steps.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Largest memory of the process.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long Trainable { get; init; }

    /// <summary>Where it was computed: cpu, cuda or cuda:N.</summary>
    public required string Device { get; init; }

    /// <summary>The part of ONNX Runtime that computed.</summary>
    public required string Provider { get; init; }

    /// <summary>The adapter folder.</summary>
    public required string Adapter { get; init; }

    /// <summary>Loss of the last optimizer step, on its training rows; null before the first step.</summary>
    public double? TrainingLoss { get; init; }

    /// <summary>The step after which the run was made longer; null = it was not.</summary>
    public long? ExtendedAt { get; init; }

    /// <summary>What became of the training file's entries.</summary>
    public required LortaDataCounts Data { get; init; }
}
