namespace Cake.LoRTA;

/// <summary>Options of <c>lorta verify</c>.</summary>
public sealed class LortaVerifySettings : LortaRuntimeSettings
{
    /// <summary>What the first model is run with: an adapter folder, a run folder, or a checkpoint of a run.</summary>
    public string? Adapter { get; set; }

    /// <summary>A recipe: compare on its validation data.</summary>
    public string? Data { get; set; }

    /// <summary>A <c>.safetensors</c> file: compare on these inputs, by name.</summary>
    public string? Inputs { get; set; }

    /// <summary>Random rows; null = 4.</summary>
    public int? Samples { get; set; }

    /// <summary>Their length in tokens; null = 32, or less for very large files.</summary>
    public int? Length { get; set; }

    /// <summary>Largest relative difference that passes; null = 1e-5, or what the stored types allow.</summary>
    public double? Tolerance { get; set; }

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--adapter", Adapter);
        arguments.Value("--data", Data);
        arguments.Value("--inputs", Inputs);
        arguments.Number("--samples", Samples);
        arguments.Number("--length", Length);
        arguments.Number("--tolerance", Tolerance);
        arguments.Number("--seed", Seed);
    }
}
