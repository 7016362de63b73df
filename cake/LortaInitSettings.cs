namespace Cake.LoRTA;

/// <summary>Options of <c>lorta init</c>.</summary>
public sealed class LortaInitSettings : LortaSettings
{
    /// <summary>What to train for, for instance <c>classification</c>; null = by the model's outputs.</summary>
    public string? Task { get; set; }

    /// <summary>The recipe; null = <c>recipe.yaml</c>.</summary>
    public string? Output { get; set; }

    /// <summary>Whether an existing recipe is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--task", Task);
        arguments.Value("-o", Output);
        arguments.Flag("--force", Force);
    }
}
