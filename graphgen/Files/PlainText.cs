using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Text files as every program writes them: with or without byte order mark, with any line ends.</summary>
[Experimental(Unsettled.Id)]
public static class PlainText
{
    /// <summary>Reads a text file; one line break at its end is not part of the text.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LortaException">LRT101: no such file; LRT103: it cannot be read; LRT105: no UTF-8.</exception>
    public static string Read(string path)
    {
        if (!RealPath.HasFile(path)) throw FileErrors.NotFound(path);
        try
        {
            return Decode(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }

    /// <summary>The same for bytes that were read.</summary>
    /// <param name="bytes">UTF-8, with or without a byte order mark.</param>
    /// <param name="source">What messages call them.</param>
    /// <exception cref="LortaException">LRT105: no UTF-8.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes, string source)
    {
        try
        {
            var text = UnifyLineEnds(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(WithoutMark(bytes)));
            return text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException)
        {
            throw FileErrors.Corrupt(source, "is not UTF-8 text");
        }
    }

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
