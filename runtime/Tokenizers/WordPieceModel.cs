namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>WordPiece: the longest piece that fits, again and again; a word that cannot be finished is unknown as a whole.</summary>
/// <remarks>Written here since Microsoft.ML.Tokenizers counts the limit in UTF-16 units and reads the vocabulary from a file
/// only.</remarks>
internal sealed class WordPieceModel(Vocabulary vocabulary, int unknown) : ISubwordModel
{
    private const int OnStack = 256;

    public string Kind => "WordPiece";

    public string ContinuationPrefix { get; init; } = "##";

    /// <summary>Longer words, in characters, are unknown.</summary>
    public int MaxWordLength { get; init; } = 100;

    public void Encode(string word, List<int> ids)
    {
        var before = ids.Count;
        var at = word.EnumerateRunes().Count() > MaxWordLength ? -1 : 0;
        while (at >= 0 && at < word.Length) at = Next(word, at, ids);
        if (at >= 0) return;
        ids.RemoveRange(before, ids.Count - before);
        ids.Add(unknown);
    }

    private int Next(string word, int start, List<int> ids)
    {
        var most = ContinuationPrefix.Length + word.Length - start;
        Span<char> piece = most <= OnStack ? stackalloc char[OnStack] : new char[most];
        var prefix = start > 0 ? ContinuationPrefix.Length : 0;
        ContinuationPrefix.AsSpan(0, prefix).CopyTo(piece);
        word.AsSpan(start).CopyTo(piece[prefix..]);
        for (var end = word.Length; end > start; end--)
        {
            if (vocabulary.Find(piece[..(prefix + end - start)]) is not { } id) continue;
            ids.Add(id);
            return end;
        }
        return -1;
    }
}
