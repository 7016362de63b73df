using System.Diagnostics;
using System.Globalization;
using LoRTA.Onnx.Bench.Models;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Bench;

/// <summary>Runs variants in turn, each in a process of its own, so that a busy machine slows all alike and none meets the threads and
/// memory of another.</summary>
internal static class StepComparison
{
    private const int WarmUp = 3;

    /// <summary>Prints medians, their ratio to the first variant, and peak memory.</summary>
    /// <param name="rounds">Measured steps of each variant.</param>
    /// <param name="names">Variants; none = all.</param>
    public static void Run(int rounds, params IReadOnlyList<string> names)
    {
        RobertaModel.Store(new RobertaShape());   // the children find it there
        Console.WriteLine(Machine());
        var variants = (names.Count == 0 ? [.. StepVariants.All.Keys] : names).Select(name => new Child(name)).ToArray();
        for (var round = -WarmUp; round < rounds; round++)   // another order each round
            for (var i = 0; i < variants.Length; i++) variants[(i + round + WarmUp) % variants.Length].Step(isMeasured: round >= 0);

        Console.WriteLine(
            "| step | median ms | ratio | least ms | ratio | peak MB | last loss |\n| --- | --: | --: | --: | --: | --: | --: |");
        foreach (var variant in variants)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {variant.Name} | {variant.Median:F1} | {variant.Median / variants[0].Median:F2} | {variant.Least:F1} | "
                    + $"{variant.Least / variants[0].Least:F2} | {variant.PeakMegabytes} | {variant.Loss:F4} |"));
        foreach (var variant in variants) variant.Dispose();
    }

    /// <summary>The child's side: a step for each line of standard input; answers with milliseconds, loss and peak resident
    /// megabytes.</summary>
    public static void Serve(string name)
    {
        using var variant = StepVariants.Create(name);
        while (Console.ReadLine() is not null)
        {
            var start = Stopwatch.GetTimestamp();
            var loss = variant.Step();
            var elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            using var self = Process.GetCurrentProcess();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{elapsed} {loss} {self.PeakWorkingSet64 >> 20}"));
        }
    }

    private static string Machine() =>
        $"{Processor()}, {Environment.ProcessorCount} cores; .NET {Environment.Version}, ONNX Runtime "
            + $"{OrtEnv.Instance().GetVersionString()}, "
        + $"TorchSharp {typeof(TorchSharp.torch).Assembly.GetName().Version?.ToString(3)}";

    private static string Processor() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim()
        : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown processor";

    private sealed class Child : IDisposable
    {
        private readonly List<double> _times = [];
        private readonly Process _process;

        public Child(string name)
        {
            Name = name;
            _process = Process.Start(new ProcessStartInfo(
                Environment.ProcessPath!,
                ["serve", name])
            { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        }

        public string Name { get; }

        public double Median => _times.Order().ElementAt(_times.Count / 2);

        public double Least => _times.Min();

        public double Loss { get; private set; }

        public long PeakMegabytes { get; private set; }

        public void Step(bool isMeasured)
        {
            _process.StandardInput.WriteLine();
            var answer = _process.StandardOutput.ReadLine()?.Split(' ') ?? throw new InvalidOperationException($"'{Name}' ended early");
            if (isMeasured) _times.Add(double.Parse(answer[0], CultureInfo.InvariantCulture));
            (Loss,
                PeakMegabytes) = (double.Parse(answer[1], CultureInfo.InvariantCulture),
                    long.Parse(answer[2], CultureInfo.InvariantCulture));
        }

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
