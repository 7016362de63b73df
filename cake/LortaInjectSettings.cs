namespace Cake.LoRTA;

/// <summary>Options of <c>lorta inject</c>: a stored adapter, or a new one.</summary>
public sealed class LortaInjectSettings : LortaSettings
{
    /// <summary>A stored adapter: an adapter folder, a run folder, or a checkpoint of a run; null = a new one.</summary>
    public string? Adapter { get; set; }

    /// <summary>A new adapter: method, rank, targets and so on.</summary>
    public LortaAdapterOptions AdapterOptions { get; } = new();

    /// <summary>A <c>.safetensors</c> file with values that a new adapter starts from.</summary>
    public string? Factors { get; set; }

    /// <summary>Whether the factors are inputs without defaults, which whoever runs the model gives.</summary>
    public bool RequiredInputs { get; set; }

    /// <summary>Whether a base is accepted whose weights differ from those that the adapter was trained on.</summary>
    public bool AllowBase { get; set; }

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--adapter", Adapter);
        AdapterOptions.AddTo(arguments);
        arguments.Value("--factors", Factors);
        arguments.Flag("--required-inputs", RequiredInputs);
        arguments.Flag("--allow-base", AllowBase);
        arguments.Number("--seed", Seed);
        arguments.Flag("--force", Force);
    }
}
