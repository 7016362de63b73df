namespace Cake.LoRTA;

/// <summary>The result of <c>lorta generate</c>.</summary>
public sealed record LortaGenerateResult
{
    /// <summary>The text behind the prompt.</summary>
    public required string Text { get; init; }

    /// <summary>Its tokens.</summary>
    public required int Tokens { get; init; }

    /// <summary>How fast it was written.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Why it ended: <c>endToken</c>, <c>maxTokens</c>, <c>positions</c> (the model reads no longer texts) or
    /// <c>stopped</c>.</summary>
    public required string End { get; init; }

    /// <summary>The tokens as the model writes them.</summary>
    public required IReadOnlyList<int> Ids { get; init; }
}
