using System.Text.Json.Serialization;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training;

/// <summary>How a training run ended.</summary>
public enum TrainingEnding
{
    /// <summary>After its last step.</summary>
    Completed,

    /// <summary>Because the watched metric no longer improved.</summary>
    EarlyStopped,

    /// <summary>Because it was cancelled; it can be continued.</summary>
    Stopped,
}

/// <summary>What a training run came to; the JSON of <c>lorta train</c>.</summary>
public sealed record TrainingReport
{
    /// <summary>Why it ended.</summary>
    [JsonIgnore]
    public TrainingEnding Ending { get; init; }

    /// <summary>Optimizer steps that were made, in all.</summary>
    public required long Steps { get; init; }

    /// <summary>Optimizer steps that were asked for; more than <see cref="Steps"/> where the run ended early.</summary>
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

    /// <summary>Settings that are probably not intended, each with what to do about it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The task's metrics on the validation data, by name, in the order of reports.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new OrderedDictionary<string, double>();

    /// <summary>Time that the run took.</summary>
    public double Seconds { get; init; }

    /// <summary>Rows learned from per second of the steps; evaluations take no part in it.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>Tokens learned from per second of the steps, without padding; evaluations take no part in it.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Most memory that the process ever had.</summary>
    public long PeakMemoryBytes { get; init; }

    /// <summary>Trainable parameters: the adapter's and those of extra parameters.</summary>
    public long Trainable { get; init; }

    /// <summary>Where it was computed: cpu, cuda or cuda:N.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>The part of ONNX Runtime that computed; never another than the device asks for.</summary>
    public string Provider { get; init; } = new OrtEngineOptions().Provider;

    /// <summary>The adapter folder that was written; null where none was.</summary>
    public string? Adapter { get; init; }

    /// <summary>Loss of the last optimizer step, on its training rows; null before the first step.</summary>
    public required double? TrainingLoss { get; init; }

    /// <summary>The step after which the run was made longer; null = it was not.</summary>
    public long? ExtendedAt { get; init; }

    /// <summary>What became of the training file's entries; null where the batches were not read from a file.</summary>
    public DataCounts? Data { get; init; }

    /// <summary>With the validation loss before the first step, which is the base's where the adapter is fresh.</summary>
    internal TrainingReport WithLossBefore(double? loss, bool isFresh) => this with
    {
        BaseLoss = isFresh ? loss : null,
        StartLoss = isFresh ? null : loss,
    };
}
