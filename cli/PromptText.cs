using System.CommandLine;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Cli;

/// <summary>A prompt as the command line gives it: the text itself, <c>@FILE</c>, or <c>-</c> for standard input.</summary>
internal static class PromptText
{
    private const string StandardInput = "-";
    private const char File = '@';

    public static Option<string> Option()
    {
        var option = Opt.Required<string>(
            "--prompt", "The beginning of the text; @FILE reads it from a file, - from standard input.", "TEXT");
        option.Validators.Add(result =>
        {
            if (result.Tokens is [.., { Value: [File] }]) result.AddError($"{option.Name}: '{File}' stands before the name of a file.");
        });
        return option;
    }

    /// <summary>The text; the line break at the end of a file or of the input is not part of it.</summary>
    /// <exception cref="GraphGen.LortaException">LRT101: no such file; LRT103: it cannot be read; LRT105: it is no UTF-8.</exception>
    public static string Read(Call call, string given)
    {
        if (given == StandardInput) return PlainText.Decode(call.ReadInput(), "standard input");
        return given.StartsWith(File) ? PlainText.Read(given[1..]) : given;
    }
}
