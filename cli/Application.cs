using System.CommandLine;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.Cli.Verbs;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Families;

namespace LoRTA.Onnx.Cli;

/// <summary>The command <c>lorta</c>: arguments in; exit code, standard output and standard error out.</summary>
internal static class Application
{
    // In the order of the help.
    private static readonly Func<Verb>[] Verbs =
    [
        QuickstartVerb.Create,
        InspectVerb.Create,
        MethodsVerb.Create,
        TrainVerb.Create,
        EvaluateVerb.Create,
        ExportVerb.Create,
        VerifyVerb.Create,
        GenerateVerb.Create,
        InjectVerb.Create,
        ArtifactsVerb.Create,
        GradcheckVerb.Create,
        SchemaVerb.Create,
    ];

    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="output">Takes results.</param>
    /// <param name="error">Takes progress and errors.</param>
    /// <param name="stop">Asks for a clean end.</param>
    /// <param name="families">The adapter families that all verbs and recipes choose from; null = those of this project.</param>
    /// <returns>0 done, 1 failed, 2 wrong usage, 130 stopped.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error, CancellationToken stop,
        IReadOnlyList<AdapterFamilyEntry>? families = null) =>
        Run(args, new Shell(output, error, stop) { Families = families ?? AdapterFamilies.All }, [.. Verbs.Select(create => create())]);

    /// <summary>Runs a command line with the given verbs.</summary>
    public static int Run(string[] args, Shell shell, IReadOnlyList<Verb> verbs)
    {
        const string purpose = "Parameter-efficient fine-tuning on ONNX: train an adapter on any exporter's file, fold it back, verify.";
        var root = new RootCommand(purpose) { Opt.Json, Opt.Quiet };
        foreach (var verb in verbs) root.Add(verb.Command);

        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        if (parsed.Errors is [_, ..])
            return Failures.Usage(shell.Error, Complaint(parsed, root), command == root ? "lorta" : $"lorta {command.Name}");
        return verbs.FirstOrDefault(verb => verb.Command == command && parsed.Action is null) is { } called
            ? called.Run(parsed, shell)
            // help, version
            : parsed.Invoke(new InvocationConfiguration
            {
                Output = shell.Output,
                Error = shell.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
    }

    // Without a verb the parser says no more than that.
    private static string Complaint(ParseResult parsed, RootCommand root) =>
        parsed.CommandResult.Command == root && parsed.UnmatchedTokens is [var word, ..]
            ? $"'{word}' is no {(word.StartsWith('-') ? "option" : "verb")} of lorta."
            : parsed.Errors[0].Message;
}

/// <summary>What a command line runs in.</summary>
internal sealed record Shell(TextWriter Output, TextWriter Error, CancellationToken Stop)
{
    /// <summary>The adapter families to choose from.</summary>
    public IReadOnlyList<AdapterFamilyEntry> Families { get; init; } = AdapterFamilies.All;
}
