using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.Training.Tracking;

/// <summary>Everything that a report says of a run.</summary>
/// <param name="Recipe">The resolved recipe.</param>
/// <param name="Overview">What was shown before the first step.</param>
public sealed record RunRecord(Recipe Recipe, IReadOnlyList<string> Overview)
{
    /// <summary>The run's metrics, from <see cref="MetricsLog.Read"/>.</summary>
    internal IReadOnlyList<MetricsLine> Lines { get; init; } = [];

    /// <summary>What the run came to.</summary>
    public required TrainingReport Result { get; init; }

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
    public IReadOnlyList<StepEvent> Steps => [.. Lines.Select(line => line.StepEvent).OfType<StepEvent>()];

    /// <summary>The evaluations, that before the first step included.</summary>
    public IReadOnlyList<EvaluationEvent> Evaluations => [.. Lines.Select(line => line.EvaluationEvent).OfType<EvaluationEvent>()];
}

/// <summary>Where a run was computed.</summary>
/// <param name="Machine">Architecture and number of cores.</param>
/// <param name="System">The operating system.</param>
/// <param name="DotNet">The version of .NET.</param>
/// <param name="Runtime">Name and version of the runtime.</param>
/// <param name="Device">cpu, cuda or cuda:N.</param>
/// <param name="Threads">Threads of the runtime.</param>
public sealed record RunEnvironment(string Machine, string System, string DotNet, string Runtime, string Device, int Threads)
{
    /// <summary>This process's environment.</summary>
    /// <param name="runtime">Name and version of the runtime, for instance <c>ONNX Runtime 1.31.1</c>.</param>
    /// <param name="device">cpu, cuda or cuda:N.</param>
    /// <param name="threads">Threads of the runtime.</param>
    internal static RunEnvironment Current(string runtime, string device, int threads) => new(
        $"{RuntimeInformation.OSArchitecture}, {Plural.Of(Environment.ProcessorCount, "core", "cores")}",
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        runtime,
        device,
        threads);
}
