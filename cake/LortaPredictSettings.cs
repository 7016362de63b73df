namespace Cake.LoRTA;

/// <summary>Options of <c>lorta predict</c>.</summary>
public sealed class LortaPredictSettings : LortaRuntimeSettings
{
    /// <summary>An adapter folder, a run folder, or a checkpoint of a run.</summary>
    public string? Adapter { get; set; }

    /// <summary>With a recipe: another model, for instance the folded one.</summary>
    public string? Model { get; set; }

    /// <summary>Format of the input: <c>text</c>, <c>tsv</c>, <c>csv</c>, <c>jsonl</c>, <c>json</c> or <c>fasta</c>; null = by its
    /// extension.</summary>
    public string? Format { get; set; }

    /// <summary>The folder of the tokenizer; null = the recipe's, or the model's.</summary>
    public string? Tokenizer { get; set; }

    /// <summary>Longest row in tokens; null = the recipe's, or what the model's files state.</summary>
    public int? MaxLength { get; set; }

    /// <summary>With a recipe: keys of it that are replaced; values are YAML.</summary>
    public IDictionary<string, string> Set { get; } = new OrderedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether a base is accepted whose weights differ from those that the adapter was trained on.</summary>
    public bool AllowBase { get; set; }

    /// <summary>Whether an existing output is replaced.</summary>
    public bool Force { get; set; }

    internal override void AddTo(LortaArguments arguments)
    {
        base.AddTo(arguments);
        arguments.Value("--adapter", Adapter);
        arguments.Value("--model", Model);
        arguments.Value("--format", Format);
        arguments.Value("--tokenizer", Tokenizer);
        arguments.Number("--max-length", MaxLength);
        arguments.Pairs("--set", Set);
        arguments.Flag("--allow-base", AllowBase);
        arguments.Flag("--force", Force);
    }
}
