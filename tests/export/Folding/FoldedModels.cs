using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Folded models, and what is compared in them.</summary>
internal static class FoldedModels
{
    public static readonly VerifyOptions Quick = new() { Length = 12 };

    public static OnnxModel Fold(string path, OnnxModel deployed, Adapter adapter, ExportOptions? options)
    {
        RandomAdapter.Evaluator.Fold(deployed, adapter, options ?? new ExportOptions()).Save(path);
        return OnnxModel.Load(path);
    }

    public static VerifyResult Compare(OnnxModel a, OnnxModel b) => RandomAdapter.Evaluator.Compare(a, b, Quick);

    public static List<Projection> Sites(OnnxModel model) => [.. AttentionMap.Of(CanonicalModel.Of(model)).Layers.SelectMany(layer => layer.Sites).Where(site => site.Heads is not null)];

    public static float[] Numbers(OnnxModel model, Projection site) => BaseModels.Matrix(model, site).Read();

    // W′ of each site before it is rounded.
    public static IEnumerable<float[]> Numbers(Adapter adapter, OnnxModel deployed)
    {
        var understood = UnderstoodModel.Of(deployed);
        var plan = AdapterPlan.Of(understood, adapter.Config.AdapterOptions);
        var fold = new FoldGraph(plan, adapter.FactorsOf(plan), RandomAdapter.Evaluator);
        return [.. Sites(deployed).Select(linear => plan.Sites.All.Single(site => site.Address == linear.Address)).Zip(Sites(deployed), (site, linear) => fold.Fold(site, OnnxTensor.Of<float>([site.In, site.Out], Numbers(deployed, linear)), null)!.Value.Weight.ToFloats())];
    }
}
