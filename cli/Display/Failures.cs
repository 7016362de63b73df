using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Cli.Display;

/// <summary>What went wrong, as one sentence and a hint on standard error, and an exit code.</summary>
internal static class Failures
{
    private const string DebugSwitch = "LORTA_DEBUG";

    /// <summary>Wrong arguments.</summary>
    public static int Usage(TextWriter error, string message, string suggestion, string command)
    {
        Say(error, $"error: {string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}");
        Say(error, $"hint: {suggestion}See '{command} --help'.");
        return ExitCode.Usage;
    }

    /// <summary>A failed verb.</summary>
    public static int Report(Shell shell, Exception failure)
    {
        var causes = failure is AggregateException many ? many.Flatten().InnerExceptions : [failure];
        var cause = causes.FirstOrDefault(one => one is OperationCanceledException) ?? causes[0];
        var (sentence, hint, code) = Describe(cause, shell.Stop);
        Say(shell.Error, sentence);
        if (hint is not null) Say(shell.Error, $"hint: {hint}");
        if (Environment.GetEnvironmentVariable(DebugSwitch) == "1") Say(shell.Error, failure.ToString());
        return code;
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

    private static (string Sentence, string? Hint, int Code) Describe(Exception cause, CancellationToken stop) => cause switch
    {
        LortaException e => ($"error {e.Code}: {e.Message}", e.Hint, e.IsUsage ? ExitCode.Usage : ExitCode.Failed),
        OperationCanceledException when stop.IsCancellationRequested => ("Stopped.", null, ExitCode.Stopped),
        IOException or UnauthorizedAccessException =>
            ($"error: {cause.FirstLine()}.", "Check the path, its permissions and the free space of the disk.", ExitCode.Failed),
        OutOfMemoryException =>
            ("error: The memory of this machine does not suffice.", "Use a smaller batchSize or maxLength, or a machine with more memory.",
                ExitCode.Failed),
        _ =>
            ($"error: Unexpected {cause.GetType().Name}: {cause.FirstLine()}.",
                $"This is a defect of lorta: please report it with the output under {DebugSwitch}=1.", ExitCode.Failed),
    };
}
