using LoRTA.Onnx.GraphGen;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>ONNX Runtime's environment, of which a process has one: silent, without telemetry, with one arena for the sessions on the
/// CPU.</summary>
internal static class OrtEnvironment
{
    /// <summary>What goes wrong comes as an exception; the runtime's own lines would stand on standard error before ours.</summary>
    public const OrtLoggingLevel Silent = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;

    private const string OtherEngine =
        "Another engine of this process decided on ONNX Runtime's telemetry before: OrtEngineOptions.AllowTelemetry has no effect.";

    private const string TooLate =
        "ONNX Runtime's environment was created without telemetry before: OrtEngineOptions.AllowTelemetry has no effect.";

    private const string Hosts =
        "The application created ONNX Runtime's environment before this engine, so its telemetry may be on: set ORT_DISABLE_TELEMETRY=1 "
        + "before the process starts, or create an OrtEngine first.";

    private static readonly Lazy<OrtEnv> Created = new(Create);
    private static readonly Lock Opening = new();
    private static bool? _reports;   // as the first engine asked

    /// <summary>The release of the native library.</summary>
    /// <exception cref="LortaException">LRT619: there is no native library, or it is older than the managed assembly.</exception>
    public static Version Version => VersionOf(Instance.GetVersionString());

    /// <summary>The environment; it must exist before the first session's options, which would make one that writes to standard
    /// error.</summary>
    /// <exception cref="LortaException">LRT619: there is no native library, or it is older than the managed assembly.</exception>
    public static OrtEnv Instance => Created.Value;

    /// <summary>Creates the environment, with reports to the vendor or without.</summary>
    /// <param name="allowTelemetry">Whether reports are allowed.</param>
    /// <returns>Why that may not be so; null where it is.</returns>
    /// <exception cref="LortaException">LRT619: there is no native library, or it is older than the managed assembly.</exception>
    public static string? Open(bool allowTelemetry)
    {
        lock (Opening)
        {
            if (_reports is { } already) return already == allowTelemetry ? null : OtherEngine;
            _reports = allowTelemetry;
            if (Created.IsValueCreated) return allowTelemetry ? TooLate : null;
            if (OrtEnv.IsCreated)
            {
                _ = Instance;
                return allowTelemetry || OrtTelemetry.WasOff ? null : Hosts;
            }
            if (allowTelemetry) OrtTelemetry.TurnOn();
            _ = Instance;
            return null;
        }
    }

    /// <summary>A release without what may follow its numbers, as in <c>1.20.0-dev</c>.</summary>
    internal static Version VersionOf(string text) =>
        Version.Parse(string.Concat(text.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.')).TrimEnd('.'));

    private static OrtEnv Create()
    {
        var silent = new EnvironmentCreationOptions { logId = "lorta", logLevel = Silent };
        // a host's own stays as it is
        var environment = RuntimeErrors.WrapLibrary(
            () => OrtEnv.IsCreated ? OrtEnv.Instance() : OrtEnv.CreateInstanceWithOptions(ref silent));
        // what OrtTelemetry's switch does not cover: the event tracing of Windows
        if (_reports is not true) environment.DisableTelemetryEvents();
        // An arena that takes what is asked for, and no plan of whole batches, halves the memory of activations at no cost in time.
        using var arena = new OrtArenaCfg(0, arenaExtendStrategy: 1, -1, -1);
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        environment.CreateAndRegisterAllocator(memory, arena);
        return environment;
    }
}
