namespace Cake.LoRTA;

/// <summary>Options of <c>lorta artifacts</c>.</summary>
public sealed class LortaArtifactsSettings : LortaSettings
{
    /// <summary>The adapter: method, rank, targets and so on.</summary>
    public LortaAdapterOptions AdapterOptions { get; } = new();

    /// <summary>A recipe that adapter, task, trained parameters, optimizer and learning rates are taken from, in place of
    /// <see cref="AdapterOptions"/> and the task.</summary>
    public string? Recipe { get; set; }

    /// <summary>Which runtime the training graphs are for: <c>portable</c> (the default), any ONNX Runtime, or
    /// <c>ort-training</c>.</summary>
    public string? Dialect { get; set; }

    /// <summary>Whether each model stores the frozen weights itself, instead of sharing one file.</summary>
    public bool EmbedWeights { get; set; }

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        AdapterOptions.AddTo(arguments);
        arguments.Value("--recipe", Recipe);
        arguments.Value("--dialect", Dialect);
        arguments.Flag("--embed-weights", EmbedWeights);
        arguments.Number("--seed", Seed);
        arguments.Flag("--force", Force);
    }
}
