using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>ONNX Runtime's environment, of which a process has one: silent, without telemetry, with one arena for the sessions on the
/// CPU.</summary>
internal static class OrtEnvironment
{
    /// <summary>What goes wrong comes as an exception; the runtime's own lines would stand on standard error before ours.</summary>
    public const OrtLoggingLevel Silent = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;

    private static readonly Lazy<OrtEnv> Created = new(Create);

    /// <summary>The environment; it must exist before the first session's options, which would make one that writes to standard
    /// error.</summary>
    public static OrtEnv Instance => Created.Value;

    private static OrtEnv Create()
    {
        var silent = new EnvironmentCreationOptions { logId = "lorta", logLevel = Silent };
        // a host's own stays as it is
        var environment = OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref silent);
        environment.DisableTelemetryEvents();   // what OrtTelemetry's switch does not cover: the event tracing of Windows
        // An arena that takes what is asked for, and no plan of whole batches, halves the memory of activations at no cost in time.
        using var arena = new OrtArenaCfg(0, arenaExtendStrategy: 1, -1, -1);
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        environment.CreateAndRegisterAllocator(memory, arena);
        return environment;
    }
}
