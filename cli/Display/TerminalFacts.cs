namespace LoRTA.Onnx.Cli.Display;

/// <summary>What the terminal that standard error is can do.</summary>
internal static class TerminalFacts
{
    // https://no-color.org: any value that is not empty.
    private static bool WantsColors => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    // TERM names the terminal on Unix; where it is missing or "dumb", the cursor cannot be moved.
    private static bool MovesCursor =>
        OperatingSystem.IsWindows() || Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    /// <summary>The live line of the terminal that standard error is; null where <paramref name="error"/> is a file or pipe, or cannot
    /// write a line anew.</summary>
    public static TerminalLine? LineOn(TextWriter error) =>
        ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected && MovesCursor ? new(error, Columns, WantsColors) : null;

    /// <summary>Whether results are written to a terminal.</summary>
    public static bool IsTerminal(TextWriter output) => ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;

    /// <summary>Columns of the terminal that standard error is; null where it is a file or pipe.</summary>
    public static int? WidthOf(TextWriter error) => ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected
        ? TerminalLine.WidthOr(Columns())
        : null;

    // The console's width is that of standard output; where that is a file, the terminal's width is not known.
    private static int Columns() => Console.IsOutputRedirected ? 0 : Console.WindowWidth;
}
