namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Pieces and their ids, both ways; added tokens included.</summary>
internal sealed class Vocabulary
{
    /// <summary>No vocabulary comes near it; a larger number is damage.</summary>
    private const int LargestId = 100_000_000;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _spans;
    private readonly Dictionary<int, string> _pieces = [];

    public Vocabulary(IEnumerable<KeyValuePair<string, int>> pieces)
    {
        _spans = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (piece, id) in pieces) Add(piece, id);
    }

    /// <summary>One more than the largest id.</summary>
    public int Size { get; private set; }

    /// <summary>Adds a piece, or gives it another id.</summary>
    /// <exception cref="InvalidDataException">The number cannot be an id.</exception>
    public void Add(string piece, int id)
    {
        if (id is < 0 or > LargestId) throw new InvalidDataException($"the id {id} of '{piece}' is out of range");
        _ids[piece] = id;
        _pieces[id] = piece;
        Size = Math.Max(Size, id + 1);
    }

    public int? Find(ReadOnlySpan<char> piece) => _spans.TryGetValue(piece, out var id) ? id : null;

    /// <summary>The piece of an id; null for an id that is not in use.</summary>
    public string? Piece(int id) => _pieces.GetValueOrDefault(id);

    /// <summary>All pieces in the order of their ids.</summary>
    public IEnumerable<KeyValuePair<string, int>> Pieces => _ids.OrderBy(pair => pair.Value);
}
