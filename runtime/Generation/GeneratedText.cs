namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>A continued text.</summary>
/// <param name="Prompt">Ids of the prompt, special tokens included.</param>
/// <param name="Ids">Ids of what was written, without the token that ended it.</param>
/// <param name="Text">What was written: prompt and this make the whole text. Special tokens are left out.</param>
/// <param name="Whole">Prompt and continuation.</param>
/// <param name="End">Why nothing follows.</param>
/// <param name="Seconds">Time for reading the prompt and writing.</param>
internal sealed record GeneratedText(
    IReadOnlyList<int> Prompt, IReadOnlyList<int> Ids, string Text, string Whole, GenerationEnd End, double Seconds)
{
    public double TokensPerSecond => Seconds > 0 ? Ids.Count / Seconds : 0;
}

/// <summary>Why a text ended.</summary>
internal enum GenerationEnd
{
    /// <summary>The model wrote a token that ends texts.</summary>
    EndToken,

    /// <summary>As many tokens as wanted.</summary>
    MaxTokens,

    /// <summary>The model reads no longer texts.</summary>
    Positions,

    /// <summary>It was stopped from outside.</summary>
    Stopped,
}
