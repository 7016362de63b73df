namespace Cake.LoRTA;

/// <summary>Options of <c>lorta quickstart</c>.</summary>
public sealed class LortaQuickstartSettings : LortaRuntimeSettings
{
    /// <summary>The folder of the run and of the folded model; null = <c>quickstart</c>.</summary>
    public string? Output { get; set; }

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("-o", Output);
        arguments.Flag("--force", Force);
    }
}
