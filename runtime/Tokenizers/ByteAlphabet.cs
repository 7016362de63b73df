using System.Text;

namespace LoRTA.Onnx.Runtime.Tokenizers;

/// <summary>GPT-2's alphabet: every byte as one visible character, so that BPE works on characters.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = Make();
    private static readonly Dictionary<char, byte> Bytes =
        Enumerable.Range(0, 256).ToDictionary(value => Letters[value], value => (byte)value);

    /// <summary>The UTF-8 bytes of <paramref name="text"/> in the alphabet.</summary>
    public static string Write(string text) => string.Create(Encoding.UTF8.GetByteCount(text), text, (letters, source) =>
    {
        var bytes = Encoding.UTF8.GetBytes(source);
        for (var i = 0; i < bytes.Length; i++) letters[i] = Letters[bytes[i]];
    });

    /// <summary>The text of pieces in the alphabet; pieces that are not (added tokens) stand for themselves.</summary>
    public static string Read(IReadOnlyList<string> pieces)
    {
        var bytes = new List<byte>();
        foreach (var piece in pieces)
            bytes.AddRange(piece.All(Bytes.ContainsKey) ? piece.Select(letter => Bytes[letter]) : Encoding.UTF8.GetBytes(piece));
        return Encoding.UTF8.GetString([.. bytes]);
    }

    // Printable Latin-1 stays, the rest takes the characters from U+0100 on.
    private static char[] Make()
    {
        var (letters, next) = (new char[256], 256);
        for (var value = 0; value < 256; value++)
            letters[value] = value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)value : (char)next++;
        return letters;
    }
}
