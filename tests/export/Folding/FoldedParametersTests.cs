using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Adapters that are the model's own parameters: folded, they compute what the training copy computes.</summary>
internal sealed class FoldedParametersTests
{
    [TestCase("bitfit", "roberta-mini/seqcls.ts-eager")]
    [TestCase("bitfit", "roberta-mini/seqcls.ort-fused")]
    [TestCase("bitfit", "roberta-mini/seqcls.mha-fused")]
    [TestCase("bitfit", "roberta-mini/mlm.ts-sdpa")]
    [TestCase("bitfit", "roberta-mini/extra/bert-tiny.ort-fused")]
    [TestCase("full", "roberta-mini/seqcls.ort-fused")]
    [TestCase("full", "roberta-mini/mlm.ts-sdpa")]
    [TestCase("full", "esm-mini/mlm.dynamo18")]
    [TestCase("full", "llama-mini/dynamo18")]
    [TestCase("full", "llama-mini/genai")]
    [TestCase("full", "llama-mini/extra/shared-attention")]
    public void Folded_is_adapted(string method, string export)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));

        Assert.That(DifferenceOf(deployed, deployed, Changed(deployed, method)), Is.LessThanOrEqualTo(1e-5));
    }

    [TestCase("bitfit", "roberta-mini/seqcls.ts-eager", "roberta-mini/seqcls.ort-fused")]
    [TestCase("full", "llama-mini/ts-sdpa", "llama-mini/genai")]
    public void What_was_trained_on_one_export_folds_into_another(string method, string trained, string export)
    {
        var adapter = Changed(OnnxModel.Load(Exports.Path(trained)), method);

        Assert.That(DifferenceOf(OnnxModel.Load(Exports.Path(trained)), OnnxModel.Load(Exports.Path(export)), adapter), Is.LessThanOrEqualTo(1e-5));
    }

    [Test]
    public void A_base_cannot_be_kept_beside_them()
    {
        var deployed = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));

        Assert.That(() => RandomAdapter.Evaluator.Fold(deployed, Changed(deployed, "bitfit"), new ExportOptions { KeepBase = true }), Throws.TypeOf<LortaException>().With.Property(nameof(LortaException.Code)).EqualTo("LRT322"));
    }

    // Between the training copy of one file with the adapter and another file that it was folded into.
    private static double DifferenceOf(OnnxModel trained, OnnxModel deployed, Adapter adapter)
    {
        using var folder = new TestFolder();
        RandomAdapter.Evaluator.Fold(deployed, adapter).Save(folder["folded.onnx"]);
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(trained), adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        return RandomAdapter.Evaluator.Compare(adapted, OnnxModel.Load(folder["folded.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff;
    }

    private static Adapter Changed(OnnxModel deployed, string method) => RandomAdapter.For(deployed, new AdapterOptions { Method = method });
}
