namespace Cake.LoRTA;

/// <summary>Options of <c>lorta generate</c>.</summary>
public sealed class LortaGenerateSettings : LortaRuntimeSettings
{
    /// <summary>An adapter folder, a run folder, or a checkpoint of a run.</summary>
    public string? Adapter { get; set; }

    /// <summary>Whether a base is accepted whose weights differ from those that the adapter was trained on.</summary>
    public bool AllowBase { get; set; }

    /// <summary>The folder of the tokenizer; null = the recipe's, or the model's.</summary>
    public string? Tokenizer { get; set; }

    /// <summary>Largest number of tokens to write; null = 100.</summary>
    public int? MaxTokens { get; set; }

    /// <summary>0 (or null) takes the most likely token; higher values make unlikely tokens more likely.</summary>
    public double? Temperature { get; set; }

    /// <summary>How many of the most likely tokens are drawn from; null = all.</summary>
    public int? TopK { get; set; }

    /// <summary>Probability that the most likely tokens, which are drawn from, reach together; null = 1.</summary>
    public double? TopP { get; set; }

    /// <summary>Seed of every random value; null = that of the recipe, or 0.</summary>
    public long? Seed { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--adapter", Adapter);
        arguments.Flag("--allow-base", AllowBase);
        arguments.Value("--tokenizer", Tokenizer);
        arguments.Number("--max-tokens", MaxTokens);
        arguments.Number("--temperature", Temperature);
        arguments.Number("--top-k", TopK);
        arguments.Number("--top-p", TopP);
        arguments.Number("--seed", Seed);
    }
}
