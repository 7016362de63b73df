namespace Cake.LoRTA;

/// <summary>Options of <c>lorta convert</c>.</summary>
public sealed class LortaConvertSettings : LortaSettings
{
    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Flag("--force", Force);
    }
}
