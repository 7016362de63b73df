using System.Text;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Cli;

/// <summary>A prompt as the command line gives it: the text itself, <c>@FILE</c>, or <c>-</c> for standard input.</summary>
internal static class PromptText
{
    private const string StandardInput = "-";

    /// <summary>The text; the line break at the end of a file or of the input is not part of it.</summary>
    /// <exception cref="GraphGen.LortaException">LRT101: no such file; LRT103: it cannot be read; LRT105: it is no UTF-8.</exception>
    public static string Read(Call call, string given)
    {
        if (given == StandardInput) return Decoded(call.ReadInput(), "standard input");
        return given.StartsWith('@') ? Decoded(BytesOf(given[1..]), given[1..]) : given;
    }

    private static byte[] BytesOf(string path)
    {
        if (!RealPath.HasFile(path)) throw FileErrors.NotFound(path);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotReadable(path, e);
        }
    }

    private static string Decoded(byte[] bytes, string source)
    {
        try
        {
            var text = PlainText.UnifyLineEnds(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(PlainText.WithoutMark(bytes)));
            return text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException)
        {
            throw FileErrors.Corrupt(source, "is not UTF-8 text");
        }
    }
}
