using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Extensions.AI.Tests;

/// <summary>The bundled decoder, and adapters that change what it writes.</summary>
internal static class LlamaMini
{
    public static string Folder { get; } = Path.Combine(Fixtures.Repository, "models", "llama-mini");

    public static OnnxModel Model { get; } = OnnxModel.Load(Folder);

    public static AdapterOptions Shape { get; } = new() { Method = "lora", Rank = 2, Targets = ["q", "v"] };

    /// <summary>An adapter none of whose factors is zero.</summary>
    /// <param name="turn">Different numbers give different adapters.</param>
    public static Adapter Adapter(int turn)
    {
        var plan = AdapterPlan.Of(UnderstoodModel.Of(Model), Shape);
        var factors = plan.Factors.ToDictionary(factor => factor.Name, factor => Waves(factor.Dims, turn), StringComparer.Ordinal);
        return DeployedInjection.WithInputs(Model, Shape, factors, seed: 0).Adapter;
    }

    private static OnnxTensor Waves(IReadOnlyList<long> dims, int turn) => OnnxTensor.Of<float>(
        [.. dims], [.. Enumerable.Range(1, (int)dims.Aggregate((a, b) => a * b)).Select(i => 0.5f * MathF.Sin(i * (turn + 1.3f)))]);
}
