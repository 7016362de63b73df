using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Generation;

namespace LoRTA.Onnx.Runtime;

/// <summary>How a text is continued.</summary>
public sealed record GenerationOptions
{
    /// <summary>Largest number of tokens that are written.</summary>
    public int MaxTokens { get; init; } = 100;

    /// <summary>How a token is chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Name of one of the host's adapters; null = the base model, or the adapter that the generator was made with.</summary>
    public string? Adapter { get; init; }

    /// <summary>Tokens that end the text, beside those that the model's files name.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Texts that end the text and are no part of it. One that is a special token of the tokenizer ends it as a token.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>Refuses options that no text can be continued with.</summary>
    /// <exception cref="LortaException">LRT626: all problems at once.</exception>
    internal void Validate()
    {
        List<string> problems =
        [
            .. Problem(MaxTokens < 1, $"MaxTokens: must be >= 1, was {MaxTokens}"),
            .. Problem(!(Sampling.Temperature >= 0) || double.IsInfinity(Sampling.Temperature),
                $"Temperature: must be a number >= 0, was {Sampling.Temperature}"),
            .. Problem(Sampling.TopK < 1, $"TopK: must be >= 1, was {Sampling.TopK}"),
            .. Problem(Sampling.TopP is not (> 0 and <= 1), $"TopP: must be > 0 and <= 1, was {Sampling.TopP}"),
            .. Problem(StopTexts.Any(string.IsNullOrEmpty), $"StopTexts: holds an empty text"),
        ];
        if (problems.Count > 0) throw GenerationErrors.InvalidOptions(problems);
    }

    private static IEnumerable<string> Problem(bool isThere, FormattableString text) =>
        isThere ? [FormattableString.Invariant(text)] : [];
}

/// <summary>How a token is chosen from its logits.</summary>
public sealed record SamplingOptions
{
    /// <summary>What logits are divided by; 0 takes the most likely token, ties go to the smaller id.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the k most likely tokens are drawn from; null = all.</summary>
    public int? TopK { get; init; }

    /// <summary>Only the most likely tokens whose probabilities reach this sum are drawn from.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Seed of the draws: the same seed gives the same text on the same machine.</summary>
    public long Seed { get; init; }
}
