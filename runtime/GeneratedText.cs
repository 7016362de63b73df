namespace LoRTA.Onnx.Runtime;

/// <summary>A continued text.</summary>
/// <param name="Prompt">Ids of the prompt, special tokens included.</param>
/// <param name="Ids">Ids of what was written, without the token that ended it.</param>
/// <param name="Text">What was written: prompt and this make the whole text. Special tokens and the stop text are left out.</param>
/// <param name="Whole">Prompt and continuation.</param>
/// <param name="End">Why nothing follows.</param>
/// <param name="Seconds">Time for reading the prompt and writing.</param>
public sealed record GeneratedText(
    IReadOnlyList<int> Prompt, IReadOnlyList<int> Ids, string Text, string Whole, GenerationEnd End, double Seconds)
{
    /// <summary>Speed of writing, the time for reading the prompt included.</summary>
    public double TokensPerSecond => Seconds > 0 ? Ids.Count / Seconds : 0;
}

/// <summary>A piece of a text that is being continued. All pieces together are <see cref="GeneratedText.Text"/>.</summary>
/// <param name="Text">What is added; empty at most in the last piece.</param>
/// <param name="Ids">The tokens that came with it; all together are <see cref="GeneratedText.Ids"/>.</param>
/// <param name="Result">In the last piece, the whole; null in those before.</param>
public sealed record GeneratedPiece(string Text, IReadOnlyList<int> Ids, GeneratedText? Result = null);

/// <summary>Why a text ended.</summary>
public enum GenerationEnd
{
    /// <summary>The model wrote a token that ends texts.</summary>
    EndToken,

    /// <summary>As many tokens as wanted.</summary>
    MaxTokens,

    /// <summary>The model reads no longer texts.</summary>
    Positions,

    /// <summary>It was stopped from outside.</summary>
    Stopped,

    /// <summary>One of the stop texts came.</summary>
    StopText,
}
