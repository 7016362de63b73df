using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Where and with how many threads ONNX Runtime computes, and what there is to choose from.</summary>
/// <param name="Device"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
/// <param name="Threads">Threads inside an operator; 0 = all cores.</param>
/// <param name="AllowTf32">Whether products on CUDA may round their operands to 10 bits; faster, with errors near 3e-4.</param>
public sealed record OrtSettings(string Device = "cpu", int Threads = 0, bool AllowTf32 = false)
{
    internal const string DevicePattern = "cpu|cuda(:[0-9]+)?";
    internal const string DeviceHelp = "Where to compute: cpu, cuda or cuda:N. On cuda two runs agree within rounding, not in every byte.";

    /// <summary>Families to choose from, for whatever is computed with these settings.</summary>
    public LortaCatalog Catalog { get; init; } = LortaCatalog.Default;

    /// <summary>Number of threads in use.</summary>
    public int ThreadCount => Threads > 0 ? Threads : Environment.ProcessorCount;

    /// <summary>Whether graphs run on a CUDA device.</summary>
    public bool IsCuda => Device.StartsWith("cuda", StringComparison.Ordinal);

    /// <summary>The part of ONNX Runtime that computes.</summary>
    public string Provider => IsCuda ? CudaProvider.Name : "CPUExecutionProvider";

    /// <summary>Opens what runs graphs on tensors.</summary>
    internal IGraphEvaluator ToEvaluator() => new OrtEngine(this);

    internal OrtSettings OnCpu => this with { Device = "cpu" };

    /// <summary>The options of one run of a session.</summary>
    internal static RunOptions ToRunOptions() => new() { LogSeverityLevel = OrtEnvironment.Silent };

    /// <summary>Refuses a device that cannot be used, before a model is read for it.</summary>
    /// <exception cref="LortaException">LRT610: unknown device; LRT611: CUDA cannot be used.</exception>
    internal void CheckDevice() => ToSessionOptions().Dispose();

    /// <summary>The options of a session.</summary>
    /// <exception cref="LortaException">LRT610: unknown device; LRT611: CUDA cannot be used.</exception>
    internal SessionOptions ToSessionOptions()
    {
        _ = OrtEnvironment.Instance;
        var options = new SessionOptions
        {
            IntraOpNumThreads = ThreadCount,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtEnvironment.Silent,
        };
        try
        {
            options.EnableMemoryPattern = false;
            // a widened weight must not make the runtime round activations to 8 bits
            options.AddSessionConfigEntry("session.qdq_matmulnbits_accuracy_level", "1");
            options.AddSessionConfigEntry("session.use_env_allocators", "1");
            if (IsCuda) CudaProvider.AddTo(options, this);
            else if (Device != "cpu") throw RuntimeErrors.UnknownDevice(Device);
            return options;
        }
        catch (LortaException)
        {
            options.Dispose();
            throw;
        }
    }

    /// <summary>Number of the card.</summary>
    internal int DeviceIndex() => Device.Split(':') switch
    {
        ["cuda"] => 0,
        ["cuda", var index] when int.TryParse(index, out var number) && number >= 0 => number,
        _ => throw RuntimeErrors.UnknownDevice(Device),
    };
}
