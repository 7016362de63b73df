namespace Cake.LoRTA;

/// <summary>Options of <c>lorta inspect</c>.</summary>
public sealed class LortaInspectSettings : LortaSettings
{
    /// <summary>Whether the parameters are listed by their PyTorch-style names.</summary>
    public bool Weights { get; set; }

    /// <summary>Whether it is explained what was not understood: the closest form, and what is missing.</summary>
    public bool Explain { get; set; }

    /// <summary>Where the canonical training graph is written, for Netron.</summary>
    public string? Graph { get; set; }

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Flag("--weights", Weights);
        arguments.Flag("--explain", Explain);
        arguments.Value("--graph", Graph);
        arguments.Flag("--force", Force);
    }
}
