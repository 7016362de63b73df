using System.Diagnostics;
using System.Globalization;
using LoRTA.Onnx.Cli;
using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.Kill.Tests;

/// <summary>The command <c>lorta</c> as a process that ends itself with SIGKILL before the n-th change of a name, or is killed after a time. This assembly is that program.</summary>
internal static class KillableTool
{
    private const string KillAt = "LORTA_TEST_KILL_AT";
    private const string CountFile = "LORTA_TEST_COUNT_FILE";

    public static int Main(string[] args)
    {
        var (steps, last) = (0, int.Parse(Environment.GetEnvironmentVariable(KillAt) ?? "0", CultureInfo.InvariantCulture));
        FileSteps.Before = () =>
        {
            if (Interlocked.Increment(ref steps) != last) return;
            Process.GetCurrentProcess().Kill();
            Thread.Sleep(Timeout.Infinite);
        };
        var code = Application.Run(args, TextWriter.Null, Console.Error, CancellationToken.None);
        if (Environment.GetEnvironmentVariable(CountFile) is { } file) File.WriteAllText(file, steps.ToString(CultureInfo.InvariantCulture));
        return code;
    }

    /// <summary>Runs the command to its end.</summary>
    /// <returns>How many steps it took, and how long.</returns>
    public static (int Steps, TimeSpan Time) Count(string folder, IReadOnlyList<string> args)
    {
        var file = Path.Combine(folder, "..", $"{Path.GetFileName(folder)}.count");
        var watch = Stopwatch.StartNew();
        using var process = Start(args, (CountFile, file));
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, error);
        var steps = int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
        File.Delete(file);
        return (steps, watch.Elapsed);
    }

    /// <summary>Runs the command until it kills itself before a step.</summary>
    public static void KillBefore(int step, IReadOnlyList<string> args)
    {
        using var process = Start(args, (KillAt, step.ToString(CultureInfo.InvariantCulture)));
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Not.Zero, $"the command did not come to step {step}");
    }

    /// <summary>Runs the command and kills it after a time, if it is still there.</summary>
    public static void KillAfter(TimeSpan time, IReadOnlyList<string> args)
    {
        using var process = Start(args, (KillAt, "0"));
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(time)) process.Kill();
        process.WaitForExit();
        error.GetAwaiter().GetResult();
    }

    private static Process Start(IReadOnlyList<string> args, (string Name, string Value) variable)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [typeof(KillableTool).Assembly.Location, .. args])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = false,
        };
        start.Environment[variable.Name] = variable.Value;
        return Process.Start(start)!;
    }
}
