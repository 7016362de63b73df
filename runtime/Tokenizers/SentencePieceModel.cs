using Microsoft.ML.Tokenizers;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>A SentencePiece model (tokenizer.model). A whole stretch of normalized text is its word.</summary>
internal sealed class SentencePieceModel(SentencePieceTokenizer tokenizer) : ISubwordModel
{
    public string Kind => "SentencePiece BPE";

    public void Encode(string word, List<int> ids) =>
        ids.AddRange(tokenizer.EncodeToIds(word, addBeginningOfSentence: false, addEndOfSentence: false, considerPreTokenization: false,
            considerNormalization: false));
}
