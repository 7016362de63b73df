namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>ESM's alphabet: entries of the vocabulary are added tokens already, white space parts, any other run is one unknown
/// token.</summary>
internal sealed class AlphabetModel(int unknown) : ISubwordModel
{
    public string Kind => "alphabet";

    public void Encode(string word, List<int> ids) =>
        ids.AddRange(Enumerable.Repeat(unknown, word.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length));
}
