using System.CommandLine;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Cli;

/// <summary>The options that say where and how ONNX Runtime computes, for verbs without a recipe.</summary>
internal sealed class RuntimeArguments
{
    private readonly Option<int?> _threads = Opt.Threads();
    private readonly Option<string?> _device = Opt.Device();

    public IReadOnlyList<Symbol> Symbols => [_threads, _device];

    public OrtSettings Settings(Call call) => new(call.Get(_device) ?? "cpu", call.Get(_threads) ?? 0);
}
