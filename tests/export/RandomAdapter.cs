using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Discovery;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Export.Tests;

/// <summary>Adapters with random factors, none of which is zero.</summary>
internal static class RandomAdapter
{
    public static OrtGraphEvaluator Evaluator { get; } = new(new OrtSettings(Threads: 1));

    public static AdapterFolder For(Model deployed, string method = "lorta", IReadOnlyList<int>? layers = null)
    {
        var map = AttentionMap.Of(CanonicalModel.Of(deployed));
        var plan = AdapterPlan.Of(BaseModels.ArchitectureOf(deployed, map), new AdapterOptions { Method = method, Rank = 4, Alpha = 2, Layers = layers });
        return new AdapterFolder("adapter", AdapterConfig.Of(plan, BaseModels.Describe(deployed, map, plan)), plan.Factors.ToDictionary(factor => factor.Name, Values));
    }

    private static Tensor Values(Factor factor)
    {
        var random = new SeededRandom(1, factor.Name);
        return Tensor.Of<float>([.. factor.Dims], [.. Enumerable.Range(0, (int)factor.Count).Select(_ => (float)random.NextNormal() / 3)]);
    }
}
