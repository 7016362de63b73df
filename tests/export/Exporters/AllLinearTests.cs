using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Artifacts;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>LoRA on all linear layers, those of the MLP included: gradients, folded files, and files with the adapter beside their base.</summary>
internal sealed class AllLinearTests
{
    private static readonly AdapterOptions AllLinear = new() { Method = "lora", Rank = 2, Alpha = 0.5, Targets = ["all-linear"] };

    private static readonly string[] Some = ["llama-mini/ts-sdpa", "llama-mini/genai", "llama-mini/genai-int4", "llama-mini/int8-qdq", "roberta-mini/seqcls.ort-fused", "roberta-mini/seqcls.int8-dynamic"];

    private static IEnumerable<TestCaseData> Files =>
        from name in Exports.All.Select(export => (Name: export, Path: (string?)null)).Concat(Architectures.All.Where(architecture => architecture.Projections.All(projection => projection is not null) && architecture.Projections.Length > 0 && architecture.Mlp[2] is not null).Select(architecture => (architecture.Name, Path: (string?)architecture.Path)))
        let data = new TestCaseData(name.Name, name.Path).SetArgDisplayNames(name.Name)
        select Some.Contains(name.Name) || name.Name.StartsWith("mlp-", StringComparison.Ordinal) ? data : data.SetCategory("Slow");

    // One layer of the largest model: its thirty are alike.
    [TestCaseSource(nameof(Files))]
    public void Gradients_equal_central_differences(string name, string? path)
    {
        var deployed = Load(name, path);
        var architecture = Architecture.Of(UnderstoodModel.Of(deployed));
        var (adapter, task) = (Options(name), name.Split('/', '.') is ["roberta-mini" or "esm-mini" or "minilm", ..] ? "classification" : "causal-lm");
        if (name.Contains("mlm.", StringComparison.Ordinal)) task = "masked-lm";
        if (name.Contains("tokencls", StringComparison.Ordinal)) task = "token-classification";
        var graphs = TrainingGraphBuilder.Build(deployed, new TrainingOptions { Adapter = adapter, Task = task, Values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, adapter), seed: 0) });

        var result = new CentralDifferenceCheck(graphs, new OrtSettings(), seed: 0).Run(SampleBatch.For(task, architecture.Vocab ?? 2, graphs.Evaluation.Classes!.Value, seed: 0));

        Assert.That(result.Factors.Select(factor => factor.Name), Has.Some.Contains(".up.A").And.Some.Contains(".down.B"));
        var isLarge = name.StartsWith("smollm2", StringComparison.Ordinal);   // its products stay float32, too coarse for some small gradients
        Assert.That(result.Verdict, isLarge ? Is.Not.EqualTo(GradientVerdict.Wrong) : Is.EqualTo(GradientVerdict.Ok), string.Join('\n', result.Factors.Where(factor => factor.Verdict != GradientVerdict.Ok)));
    }

    [TestCaseSource(nameof(Files))]
    public void Exported_files_compute_what_the_adapted_model_computes(string name, string? path)
    {
        using var folder = new TestFolder();
        var deployed = Load(name, path);
        var adapter = RandomAdapter.For(deployed, Options(name));
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false).Model;

        var (folded, kept) = (Difference(new ExportOptions()), Difference(new ExportOptions { KeepBase = true }));

        var limit = IsOf16Bits(name) ? 5e-3 : 1e-5;
        Assert.That(kept.Difference, Is.LessThanOrEqualTo(limit), "kept base");
        if (folded.Rounding is { Bits: < 16 } rounding) Assert.That(rounding.MaxRel, Is.LessThanOrEqualTo(0.2), "rounding");
        else Assert.That(folded.Difference, Is.LessThanOrEqualTo(limit), "folded");
        Assert.That(Compare(deployed), Is.GreaterThan(1e-4), "the adapter must change something");

        (double Difference, Rounding? Rounding) Difference(ExportOptions options)
        {
            var result = new AdapterFold(RandomAdapter.Evaluator).Fold(deployed, adapter, options);
            result.Model.Save(folder["exported.onnx"]);
            return (Compare(OnnxModel.Load(folder["exported.onnx"])), result.Rounding());
        }

        double Compare(OnnxModel other) => new Verifier(RandomAdapter.Evaluator).Compare(adapted, other, new VerifyOptions { Length = 12 }).MaxRelDiff;
    }

    [TestCase("llama-mini/ts-sdpa", "llama-mini/genai")]
    [TestCase("llama-mini/genai", "llama-mini/dynamo18-raw")]
    [TestCase("roberta-mini/seqcls.ort-fused", "roberta-mini/seqcls.train-mode")]
    public void An_adapter_of_one_export_folds_into_another(string trained, string other)
    {
        using var folder = new TestFolder();
        var deployed = OnnxModel.Load(Exports.Path(trained));
        var adapter = RandomAdapter.For(deployed, AllLinear);
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false).Model;

        new AdapterFold(RandomAdapter.Evaluator).Fold(OnnxModel.Load(Exports.Path(other)), adapter, new ExportOptions()).Model.Save(folder["folded.onnx"]);

        Assert.That(new Verifier(RandomAdapter.Evaluator).Compare(adapted, OnnxModel.Load(folder["folded.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    private static AdapterOptions Options(string name) =>
        name.StartsWith("smollm2", StringComparison.Ordinal) ? AllLinear with { Layers = LayerChoice.Of(0) } : AllLinear;

    private static OnnxModel Load(string name, string? path) => OnnxModel.Load(path ?? Exports.Path(name));

    private static bool IsOf16Bits(string name) => name.Contains("fp16", StringComparison.Ordinal) || name.StartsWith("minilm", StringComparison.Ordinal);
}
