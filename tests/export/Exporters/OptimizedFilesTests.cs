using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.Export.Verification;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;
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

    private static void FoldsAlike(string path)
    {
        using var folder = new TestFolder();
        var (deployed, optimized) = (Model.Load(path), Optimized(path, folder["optimized.onnx"]));
        var adapter = RandomAdapter.For(deployed);

        new Folder(RandomAdapter.Evaluator).Fold(optimized, adapter, new ExportOptions()).Model.Save(folder["folded.onnx"]);

        var adapted = AdaptedModels.WithDefaults(deployed, adapter, allowOtherBase: false);
        Assert.That(new Verifier(RandomAdapter.Evaluator).Compare(adapted, Model.Load(folder["folded.onnx"]), new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    private static Model Optimized(string path, string to)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED, OptimizedModelFilePath = to, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(path, options);
        return Model.Load(to);
    }
}
