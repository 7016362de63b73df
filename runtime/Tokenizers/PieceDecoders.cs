using System.Globalization;
using System.Text;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>Pieces back to text, one way per kind of vocabulary.</summary>
internal static class PieceDecoders
{
    private const string Space = "▁";

    private static readonly (string From, string To)[] English =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    /// <summary>Pieces separated by spaces.</summary>
    public static string Spaced(IReadOnlyList<string> pieces) => string.Join(' ', pieces);

    /// <summary>SentencePiece: the mark is a space, <c>&lt;0x41&gt;</c> a byte, and the space put before the text goes.</summary>
    public static string Marked(IReadOnlyList<string> pieces, bool dropFirstSpace)
    {
        var (text, bytes) = (new StringBuilder(), new List<byte>());
        foreach (var piece in pieces)
        {
            if (piece is ['<', '0', 'x', _, _, '>']
                && byte.TryParse(piece.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                continue;
            }
            Flush(text, bytes);
            text.Append(piece.Replace(Space, " ", StringComparison.Ordinal));
        }
        Flush(text, bytes);
        return dropFirstSpace && text.Length > 0 && text[0] == ' ' ? text.ToString(1, text.Length - 1) : text.ToString();
    }

    /// <summary>WordPiece: pieces separated by spaces but for continuations, then English punctuation drawn to its word.</summary>
    public static string WordPiece(IReadOnlyList<string> pieces, string prefix, bool cleanUp)
    {
        var text = new StringBuilder();
        for (var i = 0; i < pieces.Count; i++)
        {
            var piece = i == 0
                ? pieces[i]
                : pieces[i].StartsWith(prefix, StringComparison.Ordinal)
                    ? pieces[i][prefix.Length..]
                    : " " + pieces[i];
            if (cleanUp) foreach (var (from, to) in English) piece = piece.Replace(from, to, StringComparison.Ordinal);
            text.Append(piece);
        }
        return text.ToString();
    }

    // A run of bytes that is no UTF-8 shows one replacement character per byte.
    private static void Flush(StringBuilder text, List<byte> bytes)
    {
        if (bytes.Count == 0) return;
        try
        {
            text.Append(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]));
        }
        catch (DecoderFallbackException)
        {
            text.Append('\uFFFD', bytes.Count);
        }
        bytes.Clear();
    }
}
