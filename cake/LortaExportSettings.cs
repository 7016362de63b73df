namespace Cake.LoRTA;

/// <summary>Options of <c>lorta export</c>.</summary>
public sealed class LortaExportSettings : LortaRuntimeSettings
{
    /// <summary>Whether the result is compared with base and adapter; the export fails where they differ too much.</summary>
    public bool Verify { get; set; }

    /// <summary>A recipe: compare on its data, and measure the losses on its validation data.</summary>
    public string? Data { get; set; }

    /// <summary>A <c>.safetensors</c> file: compare on these inputs, by name.</summary>
    public string? Inputs { get; set; }

    /// <summary>Whether the weights of the base stay as they are, with the adapter next to them.</summary>
    public bool KeepBase { get; set; }

    /// <summary>Whether folded weights are written as float32 where the file stores them narrower behind a Cast.</summary>
    public bool Widen { get; set; }

    /// <summary>Whether a base is accepted whose weights differ from those that the adapter was trained on.</summary>
    public bool AllowBase { get; set; }

    /// <summary>Whether low-bit weights are accepted that keep less than half of the adapter's effect.</summary>
    public bool AllowRounding { get; set; }

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Flag("--verify", Verify);
        arguments.Value("--data", Data);
        arguments.Value("--inputs", Inputs);
        arguments.Flag("--keep-base", KeepBase);
        arguments.Flag("--widen", Widen);
        arguments.Flag("--allow-base", AllowBase);
        arguments.Flag("--allow-rounding", AllowRounding);
        arguments.Flag("--force", Force);
    }
}
