using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.Cli.Verbs;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Messages;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli;

/// <summary>The command <c>lorta</c>: arguments in; exit code, standard output and standard error out.</summary>
internal static class Application
{
    // What other tools call these commands.
    private static readonly Dictionary<string, string> OtherNames = new[]
    {
        ("export", "merge fold fuse save"),
        ("init", "new create template recipe scaffold"),
        ("train", "finetune fine-tune fit tune"),
        ("evaluate", "eval test score validate"),
        ("verify", "compare check diff"),
        ("generate", "chat run complete"),
        ("predict", "infer classify label tag"),
        ("inspect", "info show describe"),
        ("methods", "list count families"),
        ("quickstart", "demo start"),
    }.SelectMany(verb => verb.Item2.Split(' ').Select(name => KeyValuePair.Create(name, verb.Item1))).ToDictionary(StringComparer.Ordinal);

    /// <summary>All verbs of this project, made for one use, in the order of the help.</summary>
    internal static IReadOnlyList<Verb> VerbsOf(LortaCatalog catalog) =>
    [
        QuickstartVerb.Create(),
        InspectVerb.Create(),
        MethodsVerb.Create(catalog),
        InitVerb.Create(),
        TrainVerb.Create(),
        EvaluateVerb.Create(),
        PredictVerb.Create(),
        ExportVerb.Create(),
        VerifyVerb.Create(),
        GenerateVerb.Create(),
        InjectVerb.Create(catalog),
        ArtifactsVerb.Create(catalog),
        ConvertVerb.Create(),
        GradcheckVerb.Create(catalog),
        SchemaVerb.Create(),
        CompletionVerb.Create(),
    ];

    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="output">Takes results.</param>
    /// <param name="error">Takes progress and errors.</param>
    /// <param name="stop">Asks for a clean end.</param>
    /// <param name="catalog">What all verbs and recipes choose from; null = what comes with this project.</param>
    /// <returns>0 done, 1 failed, 2 wrong usage, 130 stopped.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error, CancellationToken stop,
        LortaCatalog? catalog = null) =>
        Run(args, new Shell(output, error, stop) { Catalog = catalog ?? LortaCatalog.Default });

    /// <summary>Runs a command line with the verbs of this project.</summary>
    public static int Run(string[] args, Shell shell) => Run(args, shell, VerbsOf(shell.Catalog));

    /// <summary>Runs a command line with the given verbs.</summary>
    public static int Run(string[] args, Shell shell, IReadOnlyList<Verb> verbs)
    {
        const string purpose = "Parameter-efficient fine-tuning on ONNX: train an adapter on any exporter's file, fold it back, verify.";
        var root = new RootCommand(purpose) { Opt.Json, Opt.Quiet };
        foreach (var verb in verbs) root.Add(verb.Command);

        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var command = parsed.CommandResult.Command;
        if (Complaint(parsed, root) is var (message, suggestion))
            return Failures.Usage(
                shell, message, suggestion, (command == root ? "lorta" : $"lorta {command.Name}", args.Contains(Opt.Json.Name)));
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

    // What is wrong with the arguments, and the start of a hint; null = nothing. To the parser, an option that it does not know is a
    // value: of an argument, or one too many.
    private static (string Message, string Suggestion)? Complaint(ParseResult parsed, RootCommand root)
    {
        var command = parsed.CommandResult.Command;
        if (command == root && parsed.Errors.Count > 0 && parsed.UnmatchedTokens.FirstOrDefault(token => !IsOption(token)) is { } word)
            return ($"Unknown command '{word}'.", Suggestion.Hint(word, root.Subcommands.Select(verb => verb.Name), OtherNames));
        var values = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
            .Select(token => token.Value).Concat(parsed.UnmatchedTokens);
        if (values.FirstOrDefault(IsOption) is { } option)
        {
            var known = command.Options.Concat(root.Options).SelectMany(one => one.Aliases.Append(one.Name)).Distinct().ToList();
            var name = option.Split('=')[0];
            var hint = Suggestion.Hint(name, known);
            if (hint.Length == 0 && known.Contains(Opt.SettingsName) && RecipeSchema.KeysMeant(name) is [_, ..] keys)
                hint = $"Did you mean {string.Join(" or ", keys.Select(key => $"'--set {key}=…'"))}? ";
            return ($"Unknown option '{option}'.", hint);
        }
        return parsed.Errors is [var error, ..] ? (NoNumber(error) ?? error.Message, string.Empty) : null;
    }

    // The parser says it in names of .NET types.
    private static string? NoNumber(ParseError error)
    {
        if (error.SymbolResult is not OptionResult { Option: { ValueType: var type, Name: var name }, Tokens: [.., { Value: var text }] })
            return null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(int) && !int.TryParse(text, out _)) return Whole(int.MinValue, int.MaxValue);
        if (type == typeof(long) && !long.TryParse(text, out _)) return Whole(long.MinValue, long.MaxValue);
        return type == typeof(double) && !double.TryParse(text, CultureInfo.InvariantCulture, out _)
            ? $"{name}: '{text}' is no number."
            : null;

        string Whole(long least, long most) => BigInteger.TryParse(text, out _)
            ? string.Create(CultureInfo.InvariantCulture, $"{name}: must be from {least} to {most}, was {text}.")
            : $"{name}: '{text}' is no whole number.";
    }

    private static bool IsOption(string word) => word.StartsWith("--", StringComparison.Ordinal);
}

/// <summary>What a command line runs in.</summary>
internal sealed record Shell(TextWriter Output, TextWriter Error, CancellationToken Stop)
{
    /// <summary>Opens standard input.</summary>
    public Func<Stream> OpenInput { get; init; } = Console.OpenStandardInput;

    /// <summary>What all verbs and recipes choose from.</summary>
    public LortaCatalog Catalog { get; init; } = LortaCatalog.Default;
}
