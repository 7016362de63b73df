using System.Globalization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Runtime.Generation;

/// <summary>Failures of continuing texts.</summary>
internal static class GenerationErrors
{
    public static LortaException NotADecoder(string model, string why) =>
        new(
            "LRT620",
            $"{model}: cannot continue a text: {why}.",
            "Use a causal language model that was exported with its head (text-generation, with or without past).");

    public static LortaException EmptyPrompt() =>
        new("LRT621", "the prompt holds no text.", "Give the beginning of a text.") { IsUsage = true };

    public static LortaException PromptTooLong(int tokens, int positions) =>
        new(
            "LRT622",
            string.Create(
                CultureInfo.InvariantCulture,
                $"the prompt has {tokens} tokens, and the model reads at most {positions} and needs one to write."),
            "Shorten the prompt.")
        { IsUsage = true };

    public static LortaException OtherTokenizer(int token, long vocabulary) =>
        new(
            "LRT623",
            string.Create(
                CultureInfo.InvariantCulture, $"the prompt has the token {token}, but the model predicts only {vocabulary} tokens."),
            "Use a causal language model, and point --tokenizer at its own tokenizer.");

    public static LortaException NotFinite(int step, float logit) =>
        new(
            "LRT624",
            string.Create(CultureInfo.InvariantCulture, $"token {step + 1}: the largest logit is {logit}."),
            "The model or the adapter is damaged, or its arithmetic overflows: compare it with `lorta verify`, or try a float32 export.");

    public static LortaException InvalidOptions(IEnumerable<string> problems) =>
        new("LRT626", $"the options of generating: {string.Join("; ", problems)}.", "Correct what is named.") { IsUsage = true };
}
