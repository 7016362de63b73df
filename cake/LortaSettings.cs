using Cake.Core.Tooling;

namespace Cake.LoRTA;

/// <summary>What every verb of <c>lorta</c> takes, and how the tool is started.</summary>
/// <remarks>Relative paths start at the working directory: that of Cake, or <see cref="ToolSettings.WorkingDirectory"/>.</remarks>
public abstract class LortaSettings : ToolSettings
{
    private protected LortaSettings()
    {
    }

    /// <summary>Whether no progress is passed to Cake's log.</summary>
    public bool Quiet { get; set; }

    /// <summary>Adds the options that were set.</summary>
    internal virtual void AddTo(LortaArguments arguments) => arguments.Flag("--quiet", Quiet);
}
