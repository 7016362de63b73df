using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>LoRA on all linear layers, those of the MLP included: gradients, folded files, and files with the adapter beside their base.</summary>
internal sealed class AllLinearTests
{
    private static readonly AdapterOptions AllLinear = new() { Method = "lora", Rank = 2, Alpha = 0.5, Targets = ["all-linear"] };

    private static readonly string[] Some = ["llama-mini/ts-sdpa", "llama-mini/genai", "llama-mini/genai-int4", "llama-mini/int8-qdq", "roberta-mini/seqcls.ort-fused", "roberta-mini/seqcls.int8-dynamic"];

    private static IEnumerable<TestCaseData> Files =>
        from name in AdaptedFile.Understood
        let data = new TestCaseData(name)
        select Some.Contains(name) || name.StartsWith("mlp-", StringComparison.Ordinal) ? data : data.SetCategory("Slow");

    [TestCaseSource(nameof(Files))]
    public void Gradients_equal_central_differences(string name)
    {
        var file = new AdaptedFile(name, AllLinear);

        var result = file.Gradients();

        Assert.That(result.Factors.Select(factor => factor.Name), Has.Some.Contains(".up.A").And.Some.Contains(".down.B"));
        Assert.That(result.Verdict, file.IsLarge ? Is.Not.EqualTo(GradientVerdict.Wrong) : Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors.Where(factor => factor.Verdict != GradientVerdict.Ok)));
    }

    [TestCaseSource(nameof(Files))]
    public void Exported_files_compute_what_the_adapted_model_computes(string name)
    {
        var file = new AdaptedFile(name, AllLinear);

        var (folded, kept) = (file.Exported(new ExportOptions()), file.Exported(new ExportOptions { KeepBase = true }));

        Assert.That(kept.Difference, Is.LessThanOrEqualTo(file.Limit), "kept base");
        if (folded.Rounding is { Bits: < 16 } rounding) Assert.That(rounding.MaxRel, Is.LessThanOrEqualTo(0.2), "rounding");
        else Assert.That(folded.Difference, Is.LessThanOrEqualTo(file.Limit), "folded");
        Assert.That(file.Effect, Is.GreaterThan(1e-4), "the adapter must change something");
    }

    [TestCase("llama-mini/ts-sdpa", "llama-mini/genai")]
    [TestCase("llama-mini/genai", "llama-mini/dynamo18-raw")]
    [TestCase("roberta-mini/seqcls.ort-fused", "roberta-mini/seqcls.train-mode")]
    public void An_adapter_of_one_export_folds_into_another(string trained, string other)
    {
        using var folder = new TestFolder();
        var deployed = OnnxModel.Load(Exports.Path(trained));
        var adapter = RandomAdapter.For(deployed, AllLinear);
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model;

        RandomAdapter.Evaluator.Fold(OnnxModel.Load(Exports.Path(other)), adapter, new ExportOptions()).Model.Save(folder["folded.onnx"]);

        Assert.That(RandomAdapter.Evaluator.Compare(adapted, OnnxModel.Load(folder["folded.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }
}
