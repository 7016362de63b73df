using System.CommandLine;
using System.Text;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Cli.Tests;

/// <summary>A command line run in-process.</summary>
internal sealed record CommandLine(int ExitCode, string Output, string Error)
{
    public static CommandLine Run(params string[] args) => With(null, args);

    /// <summary>Runs with another catalog to choose from.</summary>
    public static CommandLine With(LortaCatalog? catalog, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = Application.Run(args, output, error, CancellationToken.None, catalog);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs with something on standard input.</summary>
    public static CommandLine Reading(string input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var shell = new Shell(output, error, CancellationToken.None) { OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(input)) };
        return new(Application.Run(args, shell), output.ToString(), error.ToString());
    }

    /// <summary>Runs the verb <c>do</c> with a body of the test's own.</summary>
    public static CommandLine Do(Func<Call, object> body, string[]? args = null, CancellationToken stop = default, params Symbol[] symbols)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = Application.Run(["do", .. args ?? []], new Shell(output, error, stop), [Verb.Define("do", "A test.", symbols, body)]);
        return new(code, output.ToString(), error.ToString());
    }
}
