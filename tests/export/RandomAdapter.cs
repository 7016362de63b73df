using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests;

/// <summary>Adapters with random factors, none of which is zero.</summary>
internal static class RandomAdapter
{
    public static OrtEngine Evaluator { get; } = EvaluatorOf(LortaCatalog.Default);

    public static OrtEngine EvaluatorOf(LortaCatalog catalog) => new(new OrtEngineOptions { Threads = 1, Catalog = catalog });

    public static Adapter For(
        OnnxModel deployed, string method = "lorta", IReadOnlyList<int>? layers = null, LortaCatalog? catalog = null) =>
        For(UnderstoodModel.Of(deployed), method, layers, catalog);

    public static Adapter For(
        UnderstoodModel understood, string method = "lorta", IReadOnlyList<int>? layers = null, LortaCatalog? catalog = null) =>
        For(understood, Options(understood.Map, method) with { Layers = layers is null ? LayerChoice.All : LayerChoice.Of(layers) }, catalog);

    public static Adapter For(OnnxModel deployed, AdapterOptions options, LortaCatalog? catalog = null) =>
        For(UnderstoodModel.Of(deployed), options, catalog);

    public static Adapter For(UnderstoodModel understood, AdapterOptions options, LortaCatalog? catalog = null)
    {
        var plan = AdapterPlan.Of(understood, options, catalog);
        var config = AdapterConfig.Of(plan, BaseModels.Describe(understood, plan)) with { Trainables = [.. plan.Parameters.Select(parameter => parameter.Name)] };
        return new Adapter("adapter", config, plan.Parameters.Count > 0 ? Parameters(understood, options) : RandomTensor.Factors(plan));
    }

    // Parameters of the model, none of which is as it was.
    private static Dictionary<string, OnnxTensor> Parameters(UnderstoodModel understood, AdapterOptions options) =>
        AdaptedModel.Of(understood.Copy(), options, LortaCatalog.Default).Trained(new Dictionary<string, OnnxTensor>(), 0).ToDictionary(
            tensor => tensor.Name,
            tensor => OnnxTensor.Of<float>([.. tensor.Initial.Dims], [.. tensor.Initial.ToFloats().Select((value, i) => (value * 1.05f) + (0.01f * (i % 3)))]));

    /// <summary>Rank 4 on every matrix that is understood in all layers.</summary>
    public static AdapterOptions Options(AttentionMap map, string method = "lorta") =>
        new() { Method = method, Rank = 4, Alpha = 2, Targets = [.. new[] { "q", "k", "v", "p" }.Where(matrix => map.Layers.All(layer => layer[matrix] is not null))] };
}
