using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Files that ONNX Runtime saved after its own optimisation: other operators, packed weights, axes moved elsewhere.</summary>
internal sealed class OptimizedFilesTests
{
    private static IEnumerable<string> Exported => ["llama-mini/ts-eager", "llama-mini/dynamo18", "roberta-mini/seqcls.ts-eager", "roberta-mini/seqcls.dynamo18", "esm-mini/mlm.ts-eager", "roberta-mini/extra/bert-tiny.ts-eager"];

    private static IEnumerable<ArchitectureCase> Understood => Architectures.All.Where(architecture => architecture.Projections.Length > 0);

    [TestCaseSource(nameof(Exported)), Category("Slow")]
    public void An_adapter_of_the_export_folds_into_the_optimised_file(string export) => FoldsAlike(Exports.Path(export));

    [TestCaseSource(nameof(Understood)), Category("Slow")]
    public void An_adapter_of_a_model_family_folds_into_the_optimised_file(ArchitectureCase architecture) => FoldsAlike(architecture.Path);

    [Test]
    public void Integers_between_operators_are_the_numbers_that_were_rounded()
    {
        using var folder = new TestFolder();
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/int8-qdq"));
        var optimized = Optimized(deployed.Path, folder["optimized.onnx"]);
        var adapter = RandomAdapter.For(deployed);
        var verifier = RandomAdapter.Evaluator;

        var map = AttentionMap.Of(CanonicalModel.Of(optimized));

        Assert.That(optimized.Graph.Nodes.Select(node => node.OpType), Has.Some.EqualTo("QLinearMatMul"));
        Assert.That(map.Layers.SelectMany(layer => layer.Sites).Count(site => site.Heads is not null), Is.EqualTo(16));
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        Assert.That(Difference(new ExportOptions { KeepBase = true }), Is.LessThanOrEqualTo(1e-5), "kept base");
        Assert.That(Difference(new ExportOptions()), Is.LessThanOrEqualTo(2e-2), "folded, rounded to 8 bits");

        double Difference(ExportOptions options)
        {
            RandomAdapter.Evaluator.Fold(optimized, adapter, options).Save(folder["exported.onnx"]);
            return verifier.Compare(adapted, OnnxModel.Load(folder["exported.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff;
        }
    }

    // Vectors on what QLinearMatMul gives, and on what it is given.
    [Test]
    public void A_family_that_scales_inputs_and_outputs_stays_beside_integers()
    {
        using var folder = new TestFolder();
        var optimized = Optimized(Exports.Path("llama-mini/int8-qdq"), folder["optimized.onnx"]);
        var adapter = RandomAdapter.For(optimized, new AdapterOptions { Method = "ia3" });
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(optimized), adapter, allowOtherBase: false, LortaCatalog.Default).Model;

        RandomAdapter.Evaluator.Fold(optimized, adapter, new ExportOptions { KeepBase = true }).Save(folder["exported.onnx"]);

        Assert.That(RandomAdapter.Evaluator.Compare(adapted, OnnxModel.Load(folder["exported.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    [Test]
    public void The_effect_that_integers_between_operators_keep_is_that_of_the_written_file()
    {
        using var folder = new TestFolder();
        var optimized = Optimized(Exports.Path("llama-mini/int8-qdq"), folder["optimized.onnx"]);
        var (adapter, verifier) = (RandomAdapter.For(optimized), RandomAdapter.Evaluator);
        var folded = RandomAdapter.Evaluator.Fold(optimized, adapter);

        var exported = verifier.Compare(UnderstoodModel.Of(optimized), folded, new VerifyOptions { Adapter = adapter, Length = 12 });
        folded.Model.Save(folder["exported.onnx"]);
        var verified = verifier.Compare(optimized, OnnxModel.Load(folder["exported.onnx"]), new VerifyOptions { Adapter = adapter, Length = 12 });

        Assert.That(optimized.Graph.Nodes.Select(node => node.Op), Has.Some.EqualTo("QLinearMatMul"));
        Assert.That((exported.Ok, verified.Ok), Is.EqualTo((true, true)));
        Assert.That(exported.EffectKept, Is.GreaterThan(0.9).And.EqualTo(verified.EffectKept!.Value).Within(1e-4));
    }

    [Test]
    public void Gradients_pass_the_activation_that_was_fused_into_a_product()
    {
        var model = OnnxModel.Load(Fixtures.Path("field", "r03-ort-optimised-forms", "pooler.ext.onnx"));
        var understood = UnderstoodModel.Of(model);
        var plan = AdapterPlan.Of(understood, RandomAdapter.Options(understood.Map));
        var graphs = TrainingGraphs.Build(model, new TrainingOptions { Adapter = plan.Options, Task = "classification", Values = CentralDifferenceCheck.FactorsOf(plan, seed: 0) });

        var check = new CentralDifferenceCheck(graphs, new OrtEngineOptions { Threads = 1 }, seed: 0).Run(SampleBatch.For("classification", plan.Architecture.Vocab ?? 2, graphs.Evaluation.Classes!.Value, seed: 0));

        Assert.That(model.Graph.Nodes.Select(node => node.OpType), Has.Some.EqualTo("FusedGemm"));
        Assert.That(check.Ok, Is.True);
    }

    private static void FoldsAlike(string path)
    {
        using var folder = new TestFolder();
        var (deployed, optimized) = (OnnxModel.Load(path), Optimized(path, folder["optimized.onnx"]));
        var adapter = RandomAdapter.For(deployed);

        RandomAdapter.Evaluator.Fold(optimized, adapter).Save(folder["folded.onnx"]);

        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        Assert.That(RandomAdapter.Evaluator.Compare(adapted, OnnxModel.Load(folder["folded.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    private static OnnxModel Optimized(string path, string to)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED, OptimizedModelFilePath = to, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(path, options);
        return OnnxModel.Load(to);
    }
}
