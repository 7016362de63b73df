using System.Globalization;
using BenchmarkDotNet.Running;
using LoRTA.Onnx.Bench;
using LoRTA.Onnx.Training.Runtime;

OrtTelemetry.TurnOff();

// step [rounds [variant …]]: interleaved comparison · serve <variant>: used by it · everything else: BenchmarkDotNet
switch (args)
{
    case ["step"]: StepComparison.Run(rounds: 15); break;
    case ["step", var rounds, .. var names]: StepComparison.Run(int.Parse(rounds, CultureInfo.InvariantCulture), names); break;
    case ["serve", var variant]: StepComparison.Serve(variant); break;
    default: BenchmarkSwitcher.FromAssembly(typeof(StepTimeBenchmarks).Assembly).Run(args); break;
}
