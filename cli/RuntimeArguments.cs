using System.CommandLine;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli;

/// <summary>The options that say where and how ONNX Runtime computes.</summary>
internal sealed class RuntimeArguments
{
    private readonly Option<int?> _threads = Opt.Threads();
    private readonly Option<string?> _device = Opt.Device();
    private readonly Option<bool> _allowTf32 = Opt.AllowTf32();

    public IReadOnlyList<Symbol> Symbols => [_threads, _device, _allowTf32];

    /// <summary>The device of the command line; null leaves it to the recipe.</summary>
    public string? Device(Call call) => call.Get(_device);

    /// <summary>The engine for a recipe, on its device.</summary>
    public OrtEngine Engine(Call call, Recipe recipe) => new(Settings(call) with { Device = recipe.Device });

    public OrtEngineOptions Settings(Call call) => new()
    {
        Device = Device(call) ?? "cpu",
        Threads = call.Get(_threads) ?? 0,
        AllowTf32 = call.Get(_allowTf32),
        Catalog = call.Catalog,
    };
}
