using LoRTA.Onnx.GraphGen;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Runtime;

/// <summary>Where and with how many threads ONNX Runtime computes, and what there is to choose from.</summary>
public sealed record OrtEngineOptions
{
    private readonly bool? _opensByPath;

    /// <summary>What <see cref="Device"/> may be, as a regular expression.</summary>
    public const string DevicePattern = "cpu|cuda(:[0-9]+)?";

    /// <summary>What <see cref="Device"/> means, in words.</summary>
    public const string DeviceHelp = "Where to compute: cpu, cuda or cuda:N. On cuda two runs agree within rounding, not in every byte.";

    /// <summary><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Threads inside an operator; 0 = all cores.</summary>
    public int Threads { get; init; }

    /// <summary>Whether products on CUDA may round their operands to 10 bits; faster, with errors near 3e-4.</summary>
    public bool AllowTf32 { get; init; }

    /// <summary>Families, losses and gradient rules to choose from, for whatever is computed with these options.</summary>
    public LortaCatalog Catalog { get; init; } = LortaCatalog.Default;

    /// <summary>Takes what an operator should read: what was left out of a model, which run was continued; null = nobody
    /// does.</summary>
    public ILoggerFactory? Loggers { get; init; }

    /// <summary>Clock for speeds.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whether ONNX Runtime's official builds may report to their vendor what is opened in them. Off by default. It is one switch
    /// for the process, which the runtime reads when its environment is created: the first engine decides.</summary>
    public bool AllowTelemetry { get; init; }

    /// <summary>Number of threads in use.</summary>
    public int ThreadCount => Threads > 0 ? Threads : Environment.ProcessorCount;

    /// <summary>Whether graphs run on a CUDA device.</summary>
    public bool IsCuda => Device.StartsWith("cuda", StringComparison.Ordinal);

    /// <summary>The part of ONNX Runtime that computes.</summary>
    public string Provider => IsCuda ? CudaProvider.Name : "CPUExecutionProvider";

    /// <summary>Whether sessions are opened by path, with their weights beside the model: releases before 1.21 read weights nowhere
    /// else.</summary>
    internal bool OpensByPath
    {
        get => _opensByPath ?? OrtEnvironment.Version < new Version(1, 21);
        init => _opensByPath = value;
    }

    /// <summary>Opens what runs graphs on tensors.</summary>
    internal OrtEngine ToEngine() => new(this);

    internal OrtEngineOptions OnCpu => this with { Device = "cpu" };

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
