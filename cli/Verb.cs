using System.CommandLine;
using System.Diagnostics;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Cli;

/// <summary>A verb: declares what it takes, calls one library method, returns a record.</summary>
/// <remarks>What is the same for every verb happens here: the record becomes a table or one JSON document, an exception one sentence and a
/// hint, both an exit code.</remarks>
internal sealed class Verb
{
    private readonly Func<Call, object> _run;

    private readonly bool _saves;

    private Verb(Command command, Func<Call, object> run, bool saves) => (Command, _run, _saves) = (command, run, saves);

    public Command Command { get; }

    /// <summary>Defines a verb.</summary>
    /// <param name="name">Its name on the command line.</param>
    /// <param name="description">One sentence for the help.</param>
    /// <param name="symbols">Its arguments and options, from <see cref="Arg"/> and <see cref="Opt"/>.</param>
    /// <param name="run">Does it; the result's public properties are the JSON's fields. A result that is an <see cref="IVerdict"/> decides
    /// between exit codes 0 and 1.</param>
    /// <param name="saves">Whether it saves what was done so far when it is stopped.</param>
    public static Verb Define(
        string name, string description, IReadOnlyList<Symbol> symbols, Func<Call, object> run, bool saves = false)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else command.Add((Option)symbol);
        }
        return new(command, run, saves);
    }

    /// <summary>Runs the verb.</summary>
    /// <returns>The exit code.</returns>
    public int Run(ParseResult parsed, Shell shell)
    {
        var asJson = parsed.GetValue(Opt.Json);
        try
        {
            using var progress = ProgressDisplay.On(shell.Error, parsed.GetValue(Opt.Quiet));
            using var asked = StopRequest.Under(shell.Stop);
            var text = new TextDisplay(asJson ? TextWriter.Null : shell.Output);
            using var stopping = shell.Stop.Register(() => progress.ShowStopping(text, _saves));
            var result = _run(new Call(parsed, progress, text, shell));
            progress.Dispose();   // the result comes below the last state of the display
            Show(result, asJson, shell);
            if (shell.Stop.IsCancellationRequested) return ExitCode.Stopped;
            if (result is IVerdict { Failure: { } failure }) return Failures.Report(shell, failure, (Command, asJson));
            return result is IVerdict { Ok: false } ? ExitCode.Failed : ExitCode.Done;
        }
        catch (Exception e) when (!Debugger.IsAttached)
        {
            return Failures.Report(shell, e, (Command, asJson));
        }
    }

    private static void Show(object result, bool asJson, Shell shell)
    {
        try
        {
            Results.Write(shell.Output, result, asJson);
        }
        catch (IOException) when (shell.Stop.IsCancellationRequested)
        {
            return;   // a terminal that was closed (SIGHUP) takes no result; what was saved is saved
        }
    }
}

/// <summary>A result that says whether a check passed.</summary>
internal interface IVerdict
{
    bool Ok { get; }

    /// <summary>Why the check did not pass, for standard error, where the result alone does not say it.</summary>
    LortaException? Failure => null;
}

/// <summary>Exit codes of the contract.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Stopped = 130;
}

/// <summary>One use of a verb: its arguments, places for progress and for text, and the token of Ctrl-C.</summary>
internal sealed class Call(ParseResult parsed, IProgress<object> progress, TextDisplay text, Shell shell)
{
    /// <summary>Takes <c>StepEvent</c>, <c>EvaluationEvent</c>, <c>WorkProgress</c> and texts.</summary>
    public IProgress<object> Progress => progress;

    /// <summary>Takes a text that is the result itself, as it is generated; nowhere where the result is one JSON document.</summary>
    public TextDisplay Text => text;

    public CancellationToken Stop => shell.Stop;

    /// <summary>All of standard input.</summary>
    public byte[] ReadInput()
    {
        using var input = shell.OpenInput();
        using var bytes = new MemoryStream();
        input.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>What there is to choose from.</summary>
    public LortaCatalog Catalog => shell.Catalog;

    /// <summary>The whole command with all its verbs.</summary>
    public Command Root => parsed.RootCommandResult.Command;

    public T Get<T>(Argument<T> argument) => parsed.GetValue(argument)!;

    public T Get<T>(Option<T> option) => parsed.GetValue(option)!;

    /// <summary>Whether the user gave an option.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The value of an option; null where the user did not give it.</summary>
    public T? Given<T>(Option<T> option)
        where T : class => parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option) : null;
}
