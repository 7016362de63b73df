using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Recipes;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>What a training run came to; the JSON of <c>lorta train</c>.</summary>
internal sealed record RunResult
{
    /// <summary>Optimizer steps that were made, in all.</summary>
    public required long Steps { get; init; }

    /// <summary>Optimizer steps that the recipe asks for; more than <see cref="Steps"/> where the run was stopped.</summary>
    public long PlannedSteps { get; init; }

    /// <summary>Loss on the validation data, of the state that was kept; null where there are no such data.</summary>
    public double? Loss { get; init; }

    /// <summary>The step after which <see cref="Loss"/> and <see cref="Metrics"/> were measured.</summary>
    public long? LossStep { get; init; }

    /// <summary>Loss on the validation data before the first step of a fresh adapter; null where it was not measured.</summary>
    public double? BaseLoss { get; init; }

    /// <summary>Loss on the validation data of the adapter that the run continues from; null where there is none, or it was not
    /// measured.</summary>
    public double? StartLoss { get; init; }

    /// <summary>What may not be meant, each with what to do about it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new OrderedDictionary<string, double>();

    public double Seconds { get; init; }

    /// <summary>Rows learned from per second of the steps; evaluations take no part in it.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>Tokens learned from per second of the steps; evaluations take no part in it.</summary>
    public double TokensPerSecond { get; init; }

    public long PeakMemoryBytes { get; init; }

    /// <summary>Trainable parameters: the adapter's and those of extra parameters.</summary>
    public long Trainable { get; init; }

    /// <summary>Where it was computed: cpu, cuda or cuda:N.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>The part of ONNX Runtime that computed; never another than the device asks for.</summary>
    public string Provider { get; init; } = new OrtSettings().Provider;

    /// <summary>The adapter folder.</summary>
    public required string Adapter { get; init; }

    /// <summary>Loss of the last optimizer step, on its training rows; null before the first step.</summary>
    public required double? TrainingLoss { get; init; }

    /// <summary>The step after which the run was made longer; null = it was not.</summary>
    public long? ExtendedAt { get; init; }

    /// <summary>What became of the training file's entries.</summary>
    public required DataCounts Data { get; init; }
}

/// <summary>Everything that a report says of a run.</summary>
/// <param name="Recipe">The resolved recipe.</param>
/// <param name="Lines">The run's metrics, from <see cref="MetricsLog.Read"/>.</param>
/// <param name="Overview">What was shown before the first step.</param>
internal sealed record RunRecord(Recipe Recipe, IReadOnlyList<MetricsLine> Lines, IReadOnlyList<string> Overview)
{
    /// <summary>What the run came to.</summary>
    public required RunResult Result { get; init; }

    /// <summary>Where it was computed.</summary>
    public required RunEnvironment Environment { get; init; }

    /// <summary>The adapter in words.</summary>
    public required string Adapter { get; init; }

    /// <summary>Whether the adapter folds into the model's weights.</summary>
    public bool Folds { get; init; } = true;

    /// <summary>Why it ended before its last step; null where it did not.</summary>
    public string? Ending { get; init; }

    /// <summary>The command that continues it; null where nothing is left to be done.</summary>
    public string? ToContinue { get; init; }

    /// <summary>The logged steps.</summary>
    public IReadOnlyList<StepRecord> Steps => [.. Lines.Select(line => line.StepRecord).OfType<StepRecord>()];

    /// <summary>The evaluations, that before the first step included.</summary>
    public IReadOnlyList<EvaluationRecord> Evaluations => [.. Lines.Select(line => line.EvaluationRecord).OfType<EvaluationRecord>()];
}

/// <summary>Where a run was computed.</summary>
internal sealed record RunEnvironment(string Machine, string System, string DotNet, string Runtime, string Device, int Threads)
{
    /// <summary>This process's environment.</summary>
    /// <param name="runtime">Name and version of the runtime, for instance <c>ONNX Runtime 1.31.1</c>.</param>
    /// <param name="device">cpu, cuda or cuda:N.</param>
    /// <param name="threads">Threads of the runtime.</param>
    public static RunEnvironment Current(string runtime, string device, int threads) => new(
        $"{RuntimeInformation.OSArchitecture}, {Plural.Of(Environment.ProcessorCount, "core", "cores")}",
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        runtime,
        device,
        threads);
}
