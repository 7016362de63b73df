namespace Cake.LoRTA;

/// <summary>Options of <c>lorta evaluate</c>.</summary>
public sealed class LortaEvaluateSettings : LortaRuntimeSettings
{
    /// <summary>An adapter folder, a run folder, or a checkpoint of a run; null = the base model is measured.</summary>
    public string? Adapter { get; set; }

    /// <summary>Another model, for instance the folded one; null = that of the recipe.</summary>
    public string? Model { get; set; }

    /// <summary>Keys of the recipe that are replaced, for instance <c>["train.steps"] = "300"</c>; values are YAML.</summary>
    public IDictionary<string, string> Set { get; } = new OrderedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether a base is accepted whose weights differ from those that the adapter was trained on.</summary>
    public bool AllowBase { get; set; }

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--adapter", Adapter);
        arguments.Value("--model", Model);
        arguments.Pairs("--set", Set);
        arguments.Flag("--allow-base", AllowBase);
        arguments.Number("--seed", Seed);
    }
}
