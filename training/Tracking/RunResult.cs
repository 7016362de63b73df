using System.Runtime.InteropServices;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>What a training run came to; the JSON of <c>lorta train</c>.</summary>
internal sealed record RunResult
{
    public required long Steps { get; init; }

    /// <summary>Loss on the validation data, of the state that was kept; null where there are no such data.</summary>
    public double? Loss { get; init; }

    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new OrderedDictionary<string, double>();

    public double Seconds { get; init; }

    public double SamplesPerSecond { get; init; }

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

    /// <summary>Loss of the last optimizer step, on its training rows.</summary>
    public required double TrainingLoss { get; init; }

    /// <summary>What became of the training file's entries.</summary>
    public required DataCounts Data { get; init; }
}

/// <summary>Where a run was computed.</summary>
internal sealed record RunEnvironment(string Machine, string System, string DotNet, string Runtime, string Device, int Threads)
{
    /// <summary>This process's environment.</summary>
    /// <param name="runtime">Name and version of the runtime, for instance <c>ONNX Runtime 1.31.1</c>.</param>
    /// <param name="device">cpu, cuda or cuda:N.</param>
    /// <param name="threads">Threads of the runtime.</param>
    public static RunEnvironment Current(string runtime, string device, int threads) => new(
        $"{RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} cores",
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        runtime,
        device,
        threads);
}
