namespace Cake.LoRTA;

/// <summary>Where and how ONNX Runtime computes, for the verbs that run models.</summary>
public abstract class LortaRuntimeSettings : LortaSettings
{
    private protected LortaRuntimeSettings()
    {
    }

    /// <summary><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>; null = that of the recipe, or the CPU.</summary>
    public string? Device { get; set; }

    /// <summary>Threads of the runtime; null = all cores.</summary>
    public int? Threads { get; set; }

    /// <summary>Whether products on CUDA may round their operands to 10 bits (TF32): faster, with errors near 3e-4.</summary>
    public bool AllowTf32 { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--device", Device);
        arguments.Number("--threads", Threads);
        arguments.Flag("--allow-tf32", AllowTf32);
    }
}
