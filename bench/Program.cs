using System.Globalization;
using BenchmarkDotNet.Running;
using LoRTA.Onnx.Bench;
using LoRTA.Onnx.Bench.Models;
using LoRTA.Onnx.Runtime;

using var engine = new OrtEngine();   // ONNX Runtime reports nothing to its vendor

// step [rounds [variant …]]: interleaved comparison · serve <variant>: used by it · large-model PATH [layers]: a file to time the tool
// on · everything else: BenchmarkDotNet
switch (args)
{
    case ["step"]: StepComparison.Run(rounds: 15); break;
    case ["step", var rounds, .. var names]: StepComparison.Run(int.Parse(rounds, CultureInfo.InvariantCulture), names); break;
    case ["serve", var variant]: StepComparison.Serve(variant); break;
    case ["large-model", var path]: new LargeModel().Save(path); break;
    case ["large-model", var path, var layers]: new LargeModel(int.Parse(layers, CultureInfo.InvariantCulture)).Save(path); break;
    default: BenchmarkSwitcher.FromAssembly(typeof(StepTimeBenchmarks).Assembly).Run(args); break;
}
