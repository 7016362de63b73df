namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Cuts one word, as the splitter gives it, into pieces of the vocabulary.</summary>
internal interface ISubwordModel
{
    /// <summary>What the algorithm is called.</summary>
    string Kind { get; }

    /// <summary>Appends the ids of <paramref name="word"/>.</summary>
    void Encode(string word, List<int> ids);
}
