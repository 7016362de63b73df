using System.Text.Json;
using LoRTA.Onnx.Cli;

namespace LoRTA.Onnx.Fuzz.Tests;

/// <summary>The child process: runs the command lines that it reads, one JSON array a line, and answers each with what it did.</summary>
internal static class Program
{
    /// <summary>What an answer starts with, so that it is told from anything else on standard output.</summary>
    public const string Mark = "\u001f";

    public static void Main()
    {
        while (Console.In.ReadLine() is { } line)
        {
            using var output = new StringWriter();
            using var error = new StringWriter();
            var code = Application.Run(JsonSerializer.Deserialize<string[]>(line)!, output, error, CancellationToken.None);
            Console.Out.WriteLine(Mark + JsonSerializer.Serialize(new Outcome(code, output.ToString(), error.ToString())));
        }
    }
}

/// <summary>What a command line did.</summary>
/// <param name="ExitCode">Exit code; null where the process died or was ended.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record Outcome(int? ExitCode, string Output, string Error);
