using System.Globalization;
using BenchmarkDotNet.Running;
using LoRTA.Onnx.Bench;

// step [rounds]: quick interleaved comparison · peak <variant>: used by it · everything else: BenchmarkDotNet
switch (args)
{
    case ["step"]: StepComparison.Run(rounds: 15); break;
    case ["step", var rounds]: StepComparison.Run(int.Parse(rounds, CultureInfo.InvariantCulture)); break;
    case ["peak", var variant]: StepComparison.PrintPeak(variant); break;
    default: BenchmarkSwitcher.FromAssembly(typeof(StepTimeBenchmarks).Assembly).Run(args); break;
}
