using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Forms from public reports: every site is found, and an adapter folds in, or beside the base, with the same results.</summary>
internal sealed class FieldFilesTests
{
    [TestCase("r06-rotary-forms/rot-23-0", 8)]
    [TestCase("r06-rotary-forms/rot-23-1", 8)]
    [TestCase("r06-rotary-forms/emptypass", 8)]
    [TestCase("r07-functions-if-qattention/fn-inputs", 8)]
    [TestCase("r07-functions-if-qattention/if-const", 8)]
    [TestCase("r07-functions-if-qattention/qattention", 8)]
    public void An_adapter_folds_into_a_reported_form(string name, int sites) => Check(OnnxModel.Load(Fixtures.Path("field", $"{name}.onnx")), sites);

    [Test]
    public void Grouped_queries_whose_pairs_interleave_are_understood()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/genai-qkv"));
        foreach (var attention in model.Graph.Nodes.Where(node => node.Op == OrtOps.GroupQueryAttention)) attention.Attributes["rotary_interleaved"] = 1;

        Check(model, 16);
    }

    private static void Check(OnnxModel deployed, int sites)
    {
        using var folder = new TestFolder();
        deployed.Save(folder["deployed.onnx"]);
        deployed = OnnxModel.Load(folder["deployed.onnx"]);
        Assert.That(AttentionMap.Of(CanonicalModel.Of(deployed)).Layers.SelectMany(layer => layer.Sites).Count(site => site.Heads is not null), Is.EqualTo(sites));
        var adapter = RandomAdapter.For(deployed);
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model;

        RandomAdapter.Evaluator.Fold(deployed, adapter).Save(folder["merged.onnx"]);
        RandomAdapter.Evaluator.Fold(deployed, adapter, new ExportOptions { KeepBase = true }).Save(folder["beside.onnx"]);

        var isRounded = ActivationRounding.IsIn(deployed);   // weights of int8 are rounded again
        Assert.That(Difference(CanonicalModel.Of(deployed).Model, deployed), Is.LessThanOrEqualTo(1e-5), "the training copy");
        Assert.That(Difference(adapted, OnnxModel.Load(folder["merged.onnx"])), Is.LessThanOrEqualTo(isRounded ? 0.05 : 1e-5), "folded");
        Assert.That(Difference(adapted, OnnxModel.Load(folder["beside.onnx"])), Is.LessThanOrEqualTo(1e-5), "beside its base");
    }

    private static double Difference(OnnxModel a, OnnxModel b) => RandomAdapter.Evaluator.Compare(a, b, new VerifyOptions { Length = 12 }).MaxRelDiff;
}
