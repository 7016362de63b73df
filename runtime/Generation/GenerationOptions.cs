namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>How a text is continued.</summary>
internal sealed record GenerationOptions
{
    /// <summary>Most tokens that are written.</summary>
    public int MaxTokens { get; init; } = 100;

    /// <summary>How a token is chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();
}

/// <summary>How a token is chosen from its logits.</summary>
internal sealed record SamplingOptions
{
    /// <summary>What logits are divided by; 0 takes the likeliest token, ties go to the smaller id.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the k likeliest tokens are drawn from; null = all.</summary>
    public int? TopK { get; init; }

    /// <summary>Only the likeliest tokens whose probabilities reach this sum are drawn from.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Seed of the draws.</summary>
    public long Seed { get; init; }
}
