using System.Text;
using Microsoft.ML.Tokenizers;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Byte-pair encoding. Characters outside the vocabulary become their bytes (<c>&lt;0x41&gt;</c>) or the unknown token.</summary>
internal sealed class BpeModel : ISubwordModel
{
    private readonly Vocabulary _vocabulary;
    private readonly BpeTokenizer _merger;

    public BpeModel(Vocabulary vocabulary, IEnumerable<string> merges)
    {
        _vocabulary = vocabulary;
        _merger = BpeTokenizer.Create(new BpeOptions(vocabulary.Pieces) { Merges = merges });
    }

    public string Kind => ByteFallback ? "SentencePiece BPE" : "BPE";

    public int? Unknown { get; init; }

    /// <summary>Whether neighbouring unknown characters become one token.</summary>
    public bool FuseUnknown { get; init; }

    public bool ByteFallback { get; init; }

    /// <summary>Whether a word that is a piece is taken whole, whatever the merges say (Llama 3).</summary>
    public bool WholeWordsFirst { get; init; }

    public void Encode(string word, List<int> ids)
    {
        if (WholeWordsFirst && _vocabulary.Find(word) is { } whole)
        {
            ids.Add(whole);
            return;
        }
        var (start, afterUnknown) = (0, false);
        for (var at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word.AsSpan(at), out var rune, out var length);
            var known = _vocabulary.Find(word.AsSpan(at, length)) is not null;
            if (!known)
            {
                Merge(word, start, at, ids);
                AddUnknown(rune, afterUnknown, ids);
                start = at + length;
            }
            afterUnknown = !known;
            at += length;
        }
        Merge(word, start, word.Length, ids);
    }

    private void Merge(string word, int start, int end, List<int> ids)
    {
        if (end > start) ids.AddRange(_merger.EncodeToIds(word[start..end], considerPreTokenization: false, considerNormalization: false));
    }

    private void AddUnknown(Rune rune, bool afterUnknown, List<int> ids)
    {
        var bytes = ByteFallback
            ? Encoding.UTF8.GetBytes(rune.ToString()).Select(value => _vocabulary.Find($"<0x{value:X2}>")).ToList()
            : [];
        if (bytes.Count > 0 && bytes.TrueForAll(id => id is not null)) ids.AddRange(bytes.Select(id => id!.Value));
        else if (Unknown is { } unknown && !(FuseUnknown && afterUnknown)) ids.Add(unknown);
    }
}
