using System.Globalization;
using System.Text.RegularExpressions;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Failures of a tokenizer's files.</summary>
internal static class TokenizerErrors
{
    /// <summary>The code of <see cref="NoTokenizer"/>.</summary>
    public const string NoTokenizerCode = "LRT501";

    public static LortaException NoTokenizer(string folder) =>
        new("LRT501", $"{folder}: holds no tokenizer (looked for tokenizer.json, vocab.json with merges.txt, tokenizer.model, vocab.txt).",
            "Point 'tokenizer' of the recipe at the Hugging Face folder of the model. Without a recipe, pass --tokenizer.");

    public static LortaException Corrupt(string path, string what, Exception? inner = null) =>
        new("LRT502", $"{path}: {what.TrimEnd('.')}.", "The tokenizer file is damaged or of another format; download it again.", inner);

    public static LortaException Unsupported(string path, string what) =>
        new("LRT503", $"{path}: {what} is not supported.",
            "Byte-level BPE, SentencePiece BPE with byte fallback, WordPiece and the ESM alphabet are; tokenize the data elsewhere or "
                + "use such a model.");

    public static LortaException PatternTooSlow(string path, RegexMatchTimeoutException inner) =>
        new(
            "LRT517",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: the pattern '{inner.Pattern}' takes more than {inner.MatchTimeout.TotalSeconds} s on a text of "
                    + $"{inner.Input.Length} characters."),
            "The pattern backtracks without end: write it without nested repetitions, or use the model's original tokenizer.", inner);
}
