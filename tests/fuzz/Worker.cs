using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace LoRTA.Onnx.Fuzz.Tests;

/// <summary>Child processes that run command lines within limits of time and memory; one that hangs, dies or grows is replaced.</summary>
internal sealed class Worker : IDisposable
{
    private const int RunsOfOneProcess = 200;
    private const long MostMemory = 2L << 30;   // bytes resident; the inputs are small
    private const string HeapLimit = "60000000";   // bytes, hexadecimal

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);   // the machine may be busy

    private Process? _process;
    private int _runs;

    /// <summary>Runs one command line.</summary>
    public Outcome Run(IReadOnlyList<string> args)
    {
        if (_process is null || ++_runs > RunsOfOneProcess) Start();
        _process!.StandardInput.WriteLine(JsonSerializer.Serialize(args));
        var answer = Answer();
        if (!answer.Wait(Limit)) return End("it took more than " + Limit.TotalSeconds.ToString(CultureInfo.InvariantCulture) + " s");
        if (answer.Result is not { } line) return End(_process.WaitForExit(5000) ? $"the process died ({_process.ExitCode})" : "the process answers no more");
        if (Memory(_process.Id) is { } memory and > MostMemory) return End($"it took {memory >> 20} MB");
        return JsonSerializer.Deserialize<Outcome>(line[Program.Mark.Length..])!;
    }

    public void Dispose() => Stop();

    private async Task<string?> Answer()
    {
        string? line;
        do line = await _process!.StandardOutput.ReadLineAsync();
        while (line is not null && !line.StartsWith(Program.Mark, StringComparison.Ordinal));
        return line;
    }

    private Outcome End(string why)
    {
        Stop();
        return new Outcome(null, string.Empty, why);
    }

    private void Start()
    {
        Stop();
        var start = new ProcessStartInfo("dotnet", [typeof(Program).Assembly.Location])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapLimit;
        start.Environment["ORT_DISABLE_TELEMETRY"] = "1";
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };   // the runtime's warnings; the commands' own errors come with the answer
        _process.BeginErrorReadLine();
        _runs = 0;
    }

    private void Stop()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    // The most that was resident since the start; null where the system does not tell.
    private static long? Memory(int process)
    {
        var status = $"/proc/{process}/status";
        if (!File.Exists(status)) return null;
        var line = File.ReadLines(status).FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
