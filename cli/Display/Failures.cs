using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>What went wrong, on standard error, and an exit code: one sentence and a hint, or with <c>--json</c> one JSON document in one
/// line.</summary>
internal static class Failures
{
    private const string DebugSwitch = "LORTA_DEBUG";

    private static readonly JsonSerializerOptions OneLine = new(Results.Json) { WriteIndented = false };

    /// <summary>Wrong arguments.</summary>
    public static int Usage(Shell shell, string message, string suggestion, (string Command, bool AsJson) called)
    {
        var sentence = string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return Report(shell.Error, new(null, sentence, $"{suggestion}See '{called.Command} --help'.", ExitCode.Usage), called.AsJson);
    }

    /// <summary>A failed verb.</summary>
    /// <param name="shell">Takes the sentence.</param>
    /// <param name="failure">What went wrong.</param>
    /// <param name="called">The verb's command, whose options the hint may name.</param>
    public static int Report(Shell shell, Exception failure, (Command Command, bool AsJson) called)
    {
        var causes = failure is AggregateException many ? many.Flatten().InnerExceptions : [failure];
        var cause = causes.FirstOrDefault(one => one is OperationCanceledException) ?? causes[0];
        var code = Report(shell.Error, Describe(cause, called.Command, shell.Stop), called.AsJson);
        if (Environment.GetEnvironmentVariable(DebugSwitch) == "1") Say(shell.Error, failure.ToString());
        return code;
    }

    private static int Report(TextWriter error, Problem problem, bool asJson)
    {
        if (asJson)
        {
            Say(error, new JsonObject { ["error"] = JsonSerializer.SerializeToNode(problem, OneLine) }.ToJsonString(OneLine));
            return problem.ExitCode;
        }
        var isStop = problem.ExitCode == ExitCode.Stopped;
        Say(error, Fitted(error, isStop ? problem.Message : Sentence(problem)));
        if (problem.Hint is { } hint) Say(error, Fitted(error, $"hint: {hint}"));
        return problem.ExitCode;
    }

    // A terminal breaks lines between words; files and pipes have them whole.
    private static string Fitted(TextWriter error, string text) => TerminalFacts.WidthOf(error) is { } width
        ? string.Join('\n', text.Split('\n').Select(line => TerminalLine.Wrapped(line, width)))
        : text;

    // As compilers write it, so that editors and MSBuild lead to the line; the message does not repeat the place then.
    private static string Sentence(Problem problem)
    {
        var error = problem.Code is { } code ? $"error {code}" : "error";
        if (problem.Origin is not { } origin) return $"{error}: {problem.Message}";
        var line = origin.Line.ToString(CultureInfo.InvariantCulture);
        string[] places = [$"{origin.File}, line {line}: ", $"{origin.File}: line {line}: ", $"{origin.File}: "];
        var place = Array.Find(places, start => problem.Message.StartsWith(start, StringComparison.Ordinal)) ?? string.Empty;
        return $"{origin.File}({line}): {error}: {problem.Message[place.Length..]}";
    }

    // Where standard error takes nothing any more (its terminal was closed, its disk is full), the exit code still says what happened.
    private static void Say(TextWriter error, string line)
    {
        try
        {
            error.WriteLine(line);
        }
        catch (IOException)
        {
            return;
        }
    }

    private static Problem Describe(Exception cause, Command command, CancellationToken stop) => cause switch
    {
        LortaException e => new(e.Code, e.Message, Hints.For(command, e.Hint), e.IsUsage ? ExitCode.Usage : ExitCode.Failed)
        {
            Origin = e.Origin,
        },
        OperationCanceledException when stop.IsCancellationRequested => new(null, "Stopped.", null, ExitCode.Stopped),
        IOException or UnauthorizedAccessException =>
            new(null, $"{FirstLine(cause)}.", "Check the path, its permissions and the free space of the disk.", ExitCode.Failed),
        OutOfMemoryException =>
            new(null, "This machine does not have enough memory.",
                "Use a smaller batchSize or maxLength, or a machine with more memory.", ExitCode.Failed),
        _ =>
            new(null, $"Unexpected {cause.GetType().Name}: {FirstLine(cause)}.",
                $"This is a defect of lorta: please report it with the output under {DebugSwitch}=1.", ExitCode.Failed),
    };

    private static string FirstLine(Exception foreign) => foreign.Message.Split('\n')[0].TrimEnd('.', ' ', '\r');

    // What JSON says of a failure.
    private sealed record Problem(string? Code, string Message, string? Hint, int ExitCode)
    {
        [JsonIgnore]
        public FileLine? Origin { get; init; }
    }
}
