namespace Cake.LoRTA;

/// <summary>Options of <c>lorta gradcheck</c>: a golden file, or a task for central differences.</summary>
public sealed class LortaGradcheckSettings : LortaRuntimeSettings
{
    /// <summary>Without a golden file: the loss, for instance <c>causal-lm</c>.</summary>
    public string? Task { get; set; }

    /// <summary>A golden <c>.safetensors</c> file with its <c>.json</c> next to it.</summary>
    public string? Golden { get; set; }

    /// <summary>A file with the batch; null = that of the golden file, or random tokens.</summary>
    public string? Batch { get; set; }

    /// <summary>A file with parameter names that override the derived ones.</summary>
    public string? Names { get; set; }

    /// <summary>The adapter: method, rank, targets and so on.</summary>
    public LortaAdapterOptions AdapterOptions { get; } = new();

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--task", Task);
        arguments.Value("--golden", Golden);
        arguments.Value("--batch", Batch);
        arguments.Value("--names", Names);
        AdapterOptions.AddTo(arguments);
        arguments.Number("--seed", Seed);
    }
}
