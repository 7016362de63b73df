using System.Text;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Text files as every program writes them: with or without byte order mark, with any line ends.</summary>
internal static class PlainText
{
    /// <summary>The bytes without UTF-8's byte order mark.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes;

    /// <summary>All line ends as <c>\n</c>: <c>\r\n</c>, a <c>\r</c> alone (old Mac), and <c>\r\r\n</c>, which a second translation to
    /// <c>\r\n</c> leaves.</summary>
    public static string UnifyLineEnds(string text) => text
        .Replace("\r\r\n", "\n", StringComparison.Ordinal)
        .Replace("\r\n", "\n", StringComparison.Ordinal)
        .Replace('\r', '\n');
}
