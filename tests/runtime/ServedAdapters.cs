using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Runtime.Tests;

/// <summary>Adapters for a host, and what they compute in a session of their own.</summary>
internal static class ServedAdapters
{
    public static readonly OnnxModel Llama = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "llama-mini"));
    public static readonly OnnxModel Roberta = OnnxModel.Load(Path.Combine(Fixtures.Repository, "models", "roberta-mini"));
    public static readonly OrtEngine Engine = new(new() { Threads = 1, Catalog = LortaCatalog.Default.With(Gain.Entry) });
    public static readonly AdapterOptions Shape = new() { Method = "lorta", Rank = 4, Targets = ["q", "v"] };

    public static readonly Dictionary<string, OnnxTensor> Inputs = new(StringComparer.Ordinal)
    {
        ["input_ids"] = OnnxTensor.Of<long>([2, 5], [5, 90, 33, 7, 12, 40, 41, 42, 43, 44]),
        ["attention_mask"] = OnnxTensor.Of<long>([2, 5], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
    };

    // None of its factors is zero.
    public static Adapter Random(OnnxModel model, AdapterOptions shape, int seed)
    {
        var plan = AdapterPlan.Of(UnderstoodModel.Of(model), shape with { Dropout = 0 }, Engine.Catalog);
        var values = plan.Factors.ToDictionary(
            factor => factor.Name, factor => RandomTensor.Normal(factor.Name, factor.Dims, 0.3, seed), StringComparer.Ordinal);
        return DeployedInjection.WithInputs(model, shape with { Dropout = 0 }, values, seed, Engine.Catalog).Adapter;
    }

    public static IReadOnlyDictionary<string, OnnxTensor> Alone(OnnxModel model, Adapter? adapter)
    {
        var alone = adapter is null ? model : AdaptedModels.WithSideBranches(model, adapter, allowOtherBase: false, Engine.Catalog);
        using var compiled = Engine.Compile(alone);
        return compiled.Run(TextFeeds.Completed(Inputs));
    }

    // The largest over all outputs.
    public static double Difference(IReadOnlyDictionary<string, OnnxTensor> actual, IReadOnlyDictionary<string, OnnxTensor> expected)
    {
        Assert.That(actual.Keys, Is.EquivalentTo(expected.Keys));
        return expected.Max(output => Difference(actual[output.Key], output.Value));
    }

    // Relative to the largest number.
    public static double Difference(OnnxTensor actual, OnnxTensor expected)
    {
        var (a, b) = (actual.ToFloats(), expected.ToFloats());
        var differences = new float[b.Length];
        TensorPrimitives.Subtract(a, b, differences);
        return Math.Abs(TensorPrimitives.MaxMagnitude<float>(differences)) / Math.Abs(TensorPrimitives.MaxMagnitude<float>(b));
    }
}
