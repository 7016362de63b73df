using LoRTA.Onnx.GraphGen.Errors;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Runtime;

/// <summary>Where and with how many threads ONNX Runtime computes.</summary>
/// <param name="Device"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
/// <param name="Threads">Threads inside an operator; 0 = all cores.</param>
public sealed record OrtSettings(string Device = "cpu", int Threads = 0)
{
    // What goes wrong comes as an exception; the runtime's own lines would stand on standard error before ours.
    private const OrtLoggingLevel Silent = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;

    // One arena for all sessions that takes what is asked for, and no plan of whole batches: halves the memory of activations at no cost in time.
    private static readonly Lazy<bool> SharedArena = new(() =>
    {
        OrtEnv.Instance().DisableTelemetryEvents();   // what OrtTelemetry's switch does not cover: the event tracing of Windows
        using var arena = new OrtArenaCfg(0, arenaExtendStrategy: 1, -1, -1);
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        OrtEnv.Instance().CreateAndRegisterAllocator(memory, arena);
        return true;
    });

    /// <summary>Number of threads in use.</summary>
    public int ThreadCount => Threads > 0 ? Threads : Environment.ProcessorCount;

    /// <summary>Whether graphs run on a CUDA device.</summary>
    public bool IsCuda => Device.StartsWith("cuda", StringComparison.Ordinal);

    internal OrtSettings OnCpu => this with { Device = "cpu" };

    /// <summary>The options of one run of a session.</summary>
    internal static RunOptions ToRunOptions() => new() { LogSeverityLevel = Silent };

    /// <summary>The options of a session.</summary>
    /// <exception cref="LortaException">LRT611: unknown device, or the CUDA provider is not there.</exception>
    internal SessionOptions ToSessionOptions()
    {
        var options = new SessionOptions { IntraOpNumThreads = ThreadCount, InterOpNumThreads = 1, LogSeverityLevel = Silent };
        options.EnableMemoryPattern = false;
        options.AddSessionConfigEntry("session.qdq_matmulnbits_accuracy_level", "1");   // a widened weight must not make the runtime round activations to 8 bits
        if (SharedArena.Value) options.AddSessionConfigEntry("session.use_env_allocators", "1");
        try
        {
            if (IsCuda) options.AppendExecutionProvider_CUDA(DeviceIndex());
            else if (Device != "cpu") throw RuntimeErrors.UnknownDevice(Device);
            return options;
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
        {
            options.Dispose();
            throw RuntimeErrors.NoCuda(Device, e);
        }
        catch (LortaException)
        {
            options.Dispose();
            throw;
        }
    }

    private int DeviceIndex() => Device.Split(':') switch
    {
        ["cuda"] => 0,
        ["cuda", var index] when int.TryParse(index, out var number) && number >= 0 => number,
        _ => throw RuntimeErrors.UnknownDevice(Device),
    };
}
