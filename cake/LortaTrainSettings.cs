namespace Cake.LoRTA;

/// <summary>Options of <c>lorta train</c>.</summary>
public sealed class LortaTrainSettings : LortaRuntimeSettings
{
    /// <summary>The run folder; null = that of the recipe.</summary>
    public string? Output { get; set; }

    /// <summary>Keys of the recipe that are replaced, for instance <c>["train.steps"] = "300"</c>; values are YAML.</summary>
    public IDictionary<string, string> Set { get; } = new OrderedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether the newest checkpoint of the run folder is continued; without one the run starts.</summary>
    public bool Resume { get; set; }

    /// <summary>Whether an existing run folder is replaced.</summary>
    public bool Force { get; set; }

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    /// <summary>What trains: <c>ort-session</c> (the default), ONNX Runtime, or <c>ort-training</c>.</summary>
    public string? Runtime { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("-o", Output);
        arguments.Pairs("--set", Set);
        arguments.Flag("--resume", Resume);
        arguments.Flag("--force", Force);
        arguments.Number("--seed", Seed);
        arguments.Value("--runtime", Runtime);
    }
}
