namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Ids of the tokens with a role; null where the tokenizer has none.</summary>
internal sealed record SpecialTokens
{
    public int? Bos { get; init; }

    public int? Eos { get; init; }

    public int? Pad { get; init; }

    public int? Mask { get; init; }

    public int? Unk { get; init; }

    public int? Cls { get; init; }

    public int? Sep { get; init; }

    /// <summary>Every special id: those with a role and those only marked special. None of them is masked or decoded.</summary>
    public IReadOnlySet<int> All { get; init; } = new SortedSet<int>();
}
