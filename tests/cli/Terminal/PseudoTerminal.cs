using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LoRTA.Onnx.Cli.Tests.Terminal;

/// <summary>The built command in a terminal of its own, opened by util-linux' <c>script</c>.</summary>
internal sealed partial class PseudoTerminal : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly Lazy<bool> HasScript = new(() => OperatingSystem.IsLinux() && Says("script", "--version", "util-linux"));

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task _reading;

    private PseudoTerminal(ProcessStartInfo start)
    {
        _process = Process.Start(start)!;
        _reading = Task.Run(ReadAll);
    }

    /// <summary>Everything that was shown so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>The shown lines and each state of a live line, without the sequences that move and colour.</summary>
    public IReadOnlyList<string> Lines => [.. Sequence().Replace(Output, string.Empty).Split('\r', '\n').Where(line => line.Length > 0)];

    /// <summary>Starts <c>lorta</c> in a terminal; ends the running test as ignored where no terminal can be opened.</summary>
    /// <param name="columns">Width of the terminal.</param>
    /// <param name="folder">The current folder.</param>
    /// <param name="environment">Variables that are set besides, as <c>NAME=value</c>.</param>
    /// <param name="args">The arguments.</param>
    public static PseudoTerminal Start(int columns, string folder, IReadOnlyList<string> environment, params string[] args)
    {
        if (!HasScript.Value) Assert.Ignore("No pseudo-terminal: util-linux' script is not here.");
        string[] command = [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "LoRTA.Onnx.Cli.dll"), .. args];
        var words = string.Join(' ', command.Select(word => $"'{word}'"));
        var shell = string.Create(CultureInfo.InvariantCulture, $"stty cols {columns} rows 24; echo pid $$; exec {words}");
        var start = new ProcessStartInfo("script", ["--quiet", "--return", "--command", shell, "/dev/null"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = folder,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var name in new[] { "NO_COLOR", "COLUMNS" }) start.Environment.Remove(name);
        foreach (var pair in environment.Prepend("SHELL=/bin/sh").Prepend("TERM=xterm").Select(variable => variable.Split('=', 2))) start.Environment[pair[0]] = pair[1];
        return new PseudoTerminal(start);
    }

    /// <summary>Waits until a text was shown.</summary>
    public void WaitFor(string text)
    {
        lock (_output)
        {
            var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
            while (!_output.ToString().Contains(text, StringComparison.Ordinal))
            {
                var left = end - Environment.TickCount64;
                Assert.That(left > 0 && !_reading.IsCompleted, Is.True, $"'{text}' was never shown:\n{_output}");
                Monitor.Wait(_output, (int)Math.Min(left, 1000));
            }
        }
    }

    /// <summary>Presses Ctrl-C.</summary>
    public void PressCtrlC()
    {
        _process.StandardInput.Write('\x03');
        _process.StandardInput.Flush();
    }

    /// <summary>Sends a signal to the command.</summary>
    public void Send(string signal)
    {
        var pid = Pid().Match(Output).Groups[1].Value;
        using var kill = Process.Start("kill", [$"-{signal}", pid]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public int End()
    {
        Assert.That(_process.WaitForExit(Patience), Is.True, $"It does not end:\n{Output}");
        _reading.Wait(Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void ReadAll()
    {
        var buffer = new char[4096];
        while (_process.StandardOutput.Read(buffer) is > 0 and var count)
        {
            lock (_output)
            {
                _output.Append(buffer, 0, count);
                Monitor.PulseAll(_output);
            }
        }
    }

    private static bool Says(string program, string argument, string expected)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, [argument]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            return process.StandardOutput.ReadToEnd().Contains(expected, StringComparison.Ordinal);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;   // no such program
        }
    }

    // Control sequences, and the two that switch the keypad.
    [GeneratedRegex(@"\x1b(\[[0-9;?]*[A-Za-z]|[=>])", RegexOptions.ExplicitCapture)]
    private static partial Regex Sequence();

    [GeneratedRegex(@"pid ([0-9]+)")]
    private static partial Regex Pid();
}
