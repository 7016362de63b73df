using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;

namespace LoRTA.Onnx.Export.Tests.Exporters;

/// <summary>Models whose products with stored matrices are written in every way that exporters write them.</summary>
[Category("Slow")]
internal sealed class WeightSpellingsTests
{
    private static readonly string[] Bases = ["bert", "bloom", "gpt2", "grouped-queries", "qwen2"];

    // Which can be written is tried once, for all sources of cases.
    private static readonly Lazy<IReadOnlyList<(WeightSpelling Spelling, string Architecture)>> Pairs = new(() =>
    [
        .. from spelling in WeightSpellings.All
           from architecture in Bases
           where CanBeWritten(spelling, architecture) && (architecture != "bloom" || !spelling.IsRounded)
           select (spelling, architecture),
    ]);

    private static IEnumerable<TestCaseData> Cases =>
        Pairs.Value.Select(pair => new TestCaseData(pair.Spelling, pair.Architecture).SetArgDisplayNames(pair.Spelling.Name, pair.Architecture));

    private static IEnumerable<TestCaseData> GradientCases => Cases.Where(test => test.Arguments[1] is "qwen2" || test.Arguments[0] is WeightSpelling { Name: "Gemm with alpha and beta" });

    private static IEnumerable<TestCaseData> RefusedCases =>
        WeightSpellings.Refused.Select(refused => new TestCaseData(refused.Spelling, refused.Finding).SetArgDisplayNames(refused.Spelling.Name));

    [TestCaseSource(nameof(Cases))]
    public void Every_projection_is_a_site_and_folds_exactly(WeightSpelling spelling, string architecture)
    {
        using var folder = new TestFolder();
        var original = Load(architecture);
        var model = Written(spelling, architecture, folder["written.onnx"]);
        var verifier = RandomAdapter.Evaluator;
        var options = new VerifyOptions { Length = 12 };
        Assert.That(verifier.Compare(original, model, options).MaxRelDiff, Is.LessThanOrEqualTo(spelling.IsRounded ? 0.2 : 1e-5), "the test's own rewriting");

        var understood = UnderstoodModel.Of(model);
        var (before, after) = (Map(original), understood.Map);

        var expected = before.Layers.SelectMany(layer => layer.Sites).Select(site => site.Address).ToList();
        Assert.That(after.Layers.SelectMany(layer => layer.Sites).Select(site => site.Address), Is.EqualTo(expected), string.Join('\n', after.Findings));
        var adapter = RandomAdapter.For(understood);
        var adapted = AdaptedModels.Switchable(understood, adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        var folded = Exported(understood, adapter, new ExportOptions(), folder["folded.onnx"]);
        var beside = Exported(understood, adapter, new ExportOptions { KeepBase = true }, folder["beside.onnx"]);
        Assert.Multiple(() =>
        {
            Assert.That(verifier.Compare(AdaptedModels.Switchable(understood, Zero(adapter), allowOtherBase: false, LortaCatalog.Default).Model, model, options).MaxRelDiff, Is.LessThanOrEqualTo(1e-5), "canonical");
            Assert.That(verifier.Compare(adapted, folded, options).MaxRelDiff, Is.LessThanOrEqualTo(spelling.IsRounded ? 0.2 : 1e-5), "folded");
            Assert.That(verifier.Compare(adapted, beside, options).MaxRelDiff, Is.LessThanOrEqualTo(1e-5), "kept base");
            Assert.That(Map(folded).Layers.SelectMany(layer => layer.Sites).Count(), Is.EqualTo(expected.Count), "sites of the folded file");
        });
    }

    [TestCaseSource(nameof(Cases))]
    public void An_adapter_of_the_plain_file_folds_into_the_other_one(WeightSpelling spelling, string architecture)
    {
        using var folder = new TestFolder();
        var original = Load(architecture);
        var model = Written(spelling, architecture, folder["written.onnx"]);
        Assume.That(!spelling.IsBehindLayers || architecture is "bert" or "bloom", "a scale behind a layer without bias is none of the weight");
        var plain = UnderstoodModel.Of(original);
        var adapter = RandomAdapter.For(plain);
        var adapted = AdaptedModels.Switchable(plain, adapter, allowOtherBase: false, LortaCatalog.Default).Model;

        var folded = Exported(UnderstoodModel.Of(model), adapter, new ExportOptions(), folder["folded.onnx"]);

        Assert.That(RandomAdapter.Evaluator.Compare(adapted, folded, new VerifyOptions { Length = 12 }).MaxRelDiff, Is.LessThanOrEqualTo(spelling.IsRounded ? 0.2 : 1e-5));
    }

    // DoRA asks for rows times W, IA3 for the layer on another input.
    [TestCaseSource(nameof(Cases))]
    public void A_family_that_runs_the_layer_again_folds_and_stays_beside_it(WeightSpelling spelling, string architecture)
    {
        using var folder = new TestFolder();
        var understood = UnderstoodModel.Of(Written(spelling, architecture, folder["written.onnx"]));
        var options = new VerifyOptions { Length = 12 };
        AdapterOptions[] families =
        [
            new() { Method = "dora", Rank = 2, Alpha = 0.5, Targets = ["all-linear"] },
            new() { Method = "ia3" },
        ];
        foreach (var family in families)
        {
            var adapter = RandomAdapter.For(understood, family);
            var adapted = AdaptedModels.Switchable(understood, adapter, allowOtherBase: false, LortaCatalog.Default).Model;

            var folded = Exported(understood, adapter, new ExportOptions(), folder["folded.onnx"]);
            var beside = Exported(understood, adapter, new ExportOptions { KeepBase = true }, folder["beside.onnx"]);

            var verifier = RandomAdapter.Evaluator;
            Assert.That(verifier.Compare(adapted, folded, options).MaxRelDiff, Is.LessThanOrEqualTo(spelling.IsRounded ? 0.2 : 1e-5), $"{family.Method}, folded");
            Assert.That(verifier.Compare(adapted, beside, options).MaxRelDiff, Is.LessThanOrEqualTo(1e-5), $"{family.Method}, kept base");
        }
    }

    [TestCaseSource(nameof(GradientCases))]
    public void Gradients_are_right(WeightSpelling spelling, string architecture) => AssertGradients(spelling, architecture, "lorta");

    [TestCaseSource(nameof(GradientCases))]
    public void Gradients_that_leave_out_norms_of_the_weight_are_right(WeightSpelling spelling, string architecture) => AssertGradients(spelling, architecture, "dora");

    private static void AssertGradients(WeightSpelling spelling, string architecture, string method)
    {
        using var folder = new TestFolder();
        var model = Written(spelling, architecture, folder["written.onnx"]);
        var understood = UnderstoodModel.Of(model);
        var plan = AdapterPlan.Of(understood, RandomAdapter.Options(understood.Map, method));
        var graphs = TrainingGraphs.Build(understood.Copy(), new TrainingOptions { Adapter = plan.Options, Task = "causal-lm", Values = CentralDifferenceCheck.FactorsOf(plan, seed: 0) }, LortaCatalog.Default);

        var check = new CentralDifferenceCheck(graphs, new OrtEngineOptions { Threads = 1 }, seed: 0).Run(SampleBatch.For("causal-lm", plan.Architecture.Vocab ?? 2, graphs.Evaluation.Classes!.Value, seed: 0));

        Assert.That(check.Ok, Is.True, $"{check}");
    }

    [TestCaseSource(nameof(RefusedCases))]
    public void A_form_that_cannot_be_folded_is_refused_by_name(WeightSpelling spelling, string finding)
    {
        using var folder = new TestFolder();

        var map = Map(Written(spelling, "qwen2", folder["written.onnx"]));

        Assert.That(map.Layers.SelectMany(layer => layer.Sites), Is.Empty);
        Assert.That(map.Findings.Select(found => found.Reason), Has.Some.StartsWith("layers.0.q").And.Contains(finding));
        Assert.That(map.Findings.Select(found => found.Reason), Has.Some.StartsWith("layers.0.p").And.Contains(finding));
    }

    private static bool CanBeWritten(WeightSpelling spelling, string architecture) => spelling.Apply(Load(architecture)) > 0;

    private static OnnxModel Load(string architecture) => OnnxModel.Load(Architectures.All.Single(candidate => candidate.Name == architecture).Path);

    private static OnnxModel Written(WeightSpelling spelling, string architecture, string path)
    {
        var model = Load(architecture);
        spelling.Apply(model);
        model.Save(path);
        return OnnxModel.Load(path);
    }

    private static AttentionMap Map(OnnxModel model) => UnderstoodModel.Of(model).Map;

    private static OnnxModel Exported(UnderstoodModel model, Adapter adapter, ExportOptions options, string path)
    {
        RandomAdapter.Evaluator.Fold(model, adapter, options).Save(path);
        return OnnxModel.Load(path);
    }

    private static Adapter Zero(Adapter adapter) =>
        new(adapter.Path, adapter.Config, adapter.Tensors.ToDictionary(factor => factor.Key, factor => OnnxTensor.Of<float>([.. factor.Value.Dims], new float[factor.Value.Count])));
}
