using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>The tokenizer of a model, in brief.</summary>
/// <param name="Kind">Its kind; null where it cannot be read.</param>
/// <param name="Vocabulary">Number of tokens.</param>
/// <param name="File">The file that it was read from.</param>
/// <param name="Problem">Why it cannot be read; null where it can.</param>
public sealed record TokenizerFacts(string? Kind, int? Vocabulary, string? File, string? Problem)
{
    /// <summary>The tokenizer of a folder; null where there is none. A problem is no failure: a model can be inspected whatever lies beside
    /// it.</summary>
    /// <param name="folder">The folder.</param>
    public static TokenizerFacts? In(string folder)
    {
        try
        {
            var tokenizer = TextTokenizer.Load(folder);
            return new TokenizerFacts(tokenizer.Kind, tokenizer.VocabularySize, Path.GetFileName(tokenizer.File), Problem: null);
        }
        catch (LortaException e)
        {
            return e.Code == TokenizerErrors.NoTokenizerCode ? null : new TokenizerFacts(null, null, null, e.Message);
        }
    }
}
