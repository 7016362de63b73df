using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Exports for one batch size and one length are the dynamic exports: in sites, gradients, folded and beside their base. So are those of which ONNX Runtime made constants whatever follows from the sizes.</summary>
internal sealed class FixedSizesTests
{
    private const int Batch = 3;
    private const int Length = 12;

    private static readonly Lazy<OrtEngineOptions> OneThread = new(() => new OrtEngineOptions { Threads = 1 });

    // A path would be looked up while the tests are listed, when none can be skipped for want of its file.
    private static readonly string[] Exported = ["llama-mini/ts-sdpa", "llama-mini/dynamo18", "roberta-mini/seqcls.ts-eager", "roberta-mini/seqcls.dynamo18", "esm-mini/mlm.ts-eager"];

    private static IEnumerable<string> Files =>
    [
        .. Architecture,
        .. Exported,
    ];

    private static IEnumerable<string> Architecture => Architectures.All.Where(architecture => architecture.Projections.Length > 0).Select(architecture => architecture.Path);

    [Test, Category("Slow")]
    public void An_adapter_of_the_dynamic_export_folds_into_the_fixed_one([ValueSource(nameof(Files))] string file, [Values] bool isFolded)
    {
        using var folder = new TestFolder();
        var path = Exported.Contains(file) ? Exports.Path(file) : file;
        var (dynamic, @fixed) = (OnnxModel.Load(path), Saved(path, folder["fixed.onnx"], isFolded));
        var adapter = RandomAdapter.For(dynamic);
        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(dynamic), adapter, allowOtherBase: false, LortaCatalog.Default).Model;

        RandomAdapter.Evaluator.Fold(@fixed, adapter).Save(folder["merged.onnx"]);
        RandomAdapter.Evaluator.Fold(@fixed, adapter, new ExportOptions { KeepBase = true }).Save(folder["beside.onnx"]);

        Assert.That(Sites(@fixed), Is.EqualTo(Sites(dynamic)));
        Assert.That(Difference(adapted, folder["merged.onnx"]), Is.LessThanOrEqualTo(1e-5), "folded");
        Assert.That(Difference(adapted, folder["beside.onnx"]), Is.LessThanOrEqualTo(1e-5), "beside its base");
    }

    [Test, Category("Slow")]
    public void Gradients_are_those_of_the_dynamic_export([ValueSource(nameof(Architecture))] string path)
    {
        using var folder = new TestFolder();
        var (dynamic, @fixed) = (OnnxModel.Load(path), Saved(path, folder["fixed.onnx"], isFolded: true));
        var options = RandomAdapter.Options(AttentionMap.Of(CanonicalModel.Of(dynamic)));

        var (expected, found) = (Gradients(dynamic, options), Gradients(@fixed, options));

        var size = expected.Values.Max(gradient => gradient.Max(Math.Abs));
        Assert.That(found.Keys, Is.EquivalentTo(expected.Keys));
        foreach (var (name, gradient) in expected) Assert.That(found[name].Zip(gradient, (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(1e-5 * size), name);
    }

    private static Dictionary<string, float[]> Gradients(OnnxModel model, AdapterOptions options)
    {
        var architecture = GraphGen.Adapters.Planning.Architecture.Of(UnderstoodModel.Of(model));
        var values = CentralDifferenceCheck.FactorsOf(AdapterPlan.Of(architecture, options), seed: 0);
        var graphs = TrainingGraphs.Build(model, new TrainingOptions { Adapter = options, Task = "masked-lm", Values = values });
        using var runtime = new OrtSessionRuntime(graphs, OneThread.Value);
        runtime.Accumulate(SampleBatch.For("masked-lm", TokenEmbedding.Vocabulary(model) ?? 2, classes: 2, seed: 0), weight: 1);
        return runtime.Gradients.ToDictionary(gradient => gradient.Key, gradient => gradient.Value.ToFloats(), StringComparer.Ordinal);
    }

    private static double Difference(OnnxModel adapted, string path) =>
        RandomAdapter.Evaluator.Compare(adapted, OnnxModel.Load(path), new VerifyOptions { Samples = Batch, Length = Length }).MaxRelDiff;

    private static IEnumerable<string> Sites(OnnxModel model) => AttentionMap.Of(CanonicalModel.Of(model)).Layers.SelectMany(layer => layer.Sites).Select(site => $"{site.Address} {site.In} {site.Out} {site.Heads}");

    private static OnnxModel Saved(string path, string to, bool isFolded)
    {
        FixedModels.WithSizes(OnnxModel.Load(path), Batch, Length).Save(to);
        if (!isFolded) return OnnxModel.Load(to);
        var folded = Path.ChangeExtension(to, ".folded.onnx");
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC, OptimizedModelFilePath = folded, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(to, options);
        return OnnxModel.Load(folded);
    }
}
