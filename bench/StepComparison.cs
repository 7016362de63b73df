using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Bench;

/// <summary>Runs all variants in turn, so that a busy machine slows all alike, and prints medians with their ratio to the peer.</summary>
internal static class StepComparison
{
    private const int WarmUp = 3;

    public static void Run(int rounds)
    {
        Console.WriteLine(Machine());
        var peaks = StepVariants.All.Keys.ToDictionary(name => name, PeakOfChild);   // first: a child needs the cores
        var times = Times(rounds);
        Console.WriteLine("| step | ms | ratio | peak MB | last loss |\n| --- | --: | --: | --: | --: |");
        foreach (var (name, (median, loss)) in times)
        {
            var ratio = median / times.First().Value.Median;
            var row = FormattableString.Invariant($"| {name} | {median:F1} | {ratio:F2} | {peaks[name]} | {loss:F4} |");
            Console.WriteLine(row);
        }
    }

    /// <summary>A few steps of one variant; prints the peak resident memory of this process in MB.</summary>
    public static void PrintPeak(string name)
    {
        using var variant = StepVariants.Create(name);
        for (var i = 0; i < 2 * WarmUp; i++) variant.Step();
        using var self = Process.GetCurrentProcess();
        Console.WriteLine((self.PeakWorkingSet64 >> 20).ToString(CultureInfo.InvariantCulture));
    }

    private static OrderedDictionary<string, (double Median, float Loss)> Times(int rounds)
    {
        var variants = StepVariants.All.Keys.Select(StepVariants.Create).ToArray();
        var times = variants.ToDictionary(v => v.Name, _ => new List<double>());
        var result = new OrderedDictionary<string, (double, float)>();
        for (var round = -WarmUp; round < rounds; round++)
        {
            foreach (var variant in variants)
            {
                var start = Stopwatch.GetTimestamp();
                var loss = variant.Step();
                if (round >= 0) times[variant.Name].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                result[variant.Name] = (Median(times[variant.Name]), loss);
            }
        }
        foreach (var variant in variants) variant.Dispose();
        return result;
    }

    private static double Median(List<double> times) => times.Count == 0 ? double.NaN : times.Order().ElementAt(times.Count / 2);

    private static string PeakOfChild(string name)
    {
        var self = Environment.ProcessPath!;
        var start = new ProcessStartInfo(self, ["peak", name]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd().Trim();
        child.WaitForExit();
        return child.ExitCode == 0 ? output : throw new InvalidOperationException($"'peak {name}' ended with {child.ExitCode}");
    }

    private static string Machine() =>
        $"{Processor()}, {Environment.ProcessorCount} cores; .NET {Environment.Version}, "
        + $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}, "
        + $"TorchSharp {typeof(TorchSharp.torch).Assembly.GetName().Version?.ToString(3)} (libtorch {TorchSharp.torch.__version__})";

    private static string Processor() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim()
        : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown processor";
}
