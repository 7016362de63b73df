namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Text as the model wants it, special tokens included.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="TypeIds">Which segment each token belongs to, as long as <paramref name="Ids"/>.</param>
/// <param name="TextStart">Index of the first token of the (first) text itself.</param>
/// <param name="TextLength">Number of tokens of the (first) text that are left after truncation.</param>
/// <param name="TokensCut">Number of tokens of the text or the pair that truncation cut off.</param>
internal sealed record EncodedText(int[] Ids, int[] TypeIds, int TextStart, int TextLength, int TokensCut);
