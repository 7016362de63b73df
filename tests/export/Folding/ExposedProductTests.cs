using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Files whose projections are graph outputs, as tools for calibration and debugging write them: these outputs show the adapter too.</summary>
internal sealed class ExposedProductTests
{
    private TestFolder _folder = null!;

    private static IEnumerable<string> Cases =>
    [
        .. new[] { "qwen2", "gpt2", "bloom", "opt", "phi3", "gpt-bigcode", "modernbert", "distilbert", "falcon-groups" }
            .Select(name => Architectures.All.Single(item => item.Name == name).Path),
    ];

    private static IEnumerable<string> LargerCases => ["llama-mini/genai", "llama-mini/genai-int4", "roberta-mini/seqcls.ort-fused", "roberta-mini/seqcls.int8-dynamic"];

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCaseSource(nameof(Cases))]
    public void Product_before_its_bias_shows_the_adapter(string path) => CheckExposed(path, site => [site.Stored.Output]);

    [TestCaseSource(nameof(Cases))]
    public void Product_and_what_is_behind_its_bias_show_the_adapter(string path) =>
        CheckExposed(path, site => new[] { site.Stored.Output, BiasedOutput(site) }.OfType<string>());

    [TestCaseSource(nameof(Cases))]
    public void What_is_behind_the_bias_shows_the_adapter(string path) => CheckExposed(path, site => [BiasedOutput(site) ?? site.Stored.Output]);

    [TestCaseSource(nameof(LargerCases))]
    public void Exposed_products_of_real_exports_show_the_adapter(string export)
    {
        var deployed = Exposed(Exports.Path(export), site => site.Stored.Op is "Attention" or "MatMulInteger" ? [] : [site.Stored.Output]);
        var adapter = RandomAdapter.For(deployed);
        var kept = Saved(deployed, adapter, new ExportOptions { KeepBase = true });

        Assert.That(Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, kept), Is.LessThanOrEqualTo(1e-5));
    }

    private static string? BiasedOutput(Projection site) => site.Stored.BiasOutput;

    private void CheckExposed(string path, Func<Projection, IEnumerable<string>> names)
    {
        var deployed = Exposed(path, names);
        var adapter = RandomAdapter.For(deployed);

        var (folded, kept) = (Saved(deployed, adapter, new ExportOptions()), Saved(deployed, adapter, new ExportOptions { KeepBase = true }));

        var adapted = AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model;
        Assert.That(kept.Graph.Outputs.Select(output => output.Name), Is.EqualTo(deployed.Graph.Outputs.Select(output => output.Name)));
        Assert.That(Compare(adapted, folded), Is.LessThanOrEqualTo(1e-5), "folded");
        Assert.That(Compare(adapted, kept), Is.LessThanOrEqualTo(1e-5), "kept");
        Assert.That(Compare(folded, kept), Is.LessThanOrEqualTo(1e-5), "each other");
    }

    private static OnnxModel Exposed(string path, Func<Projection, IEnumerable<string>> names)
    {
        var deployed = OnnxModel.Load(path);
        ShapeInference.Infer(deployed.Graph);
        var sites = AttentionMap.Of(CanonicalModel.Of(deployed)).Layers.SelectMany(layer => layer.Sites);
        foreach (var name in sites.SelectMany(names).Distinct(StringComparer.Ordinal).ToList())
            deployed.Graph.AddOutput(deployed.Graph.Find(name)!);
        return deployed;
    }

    private OnnxModel Saved(OnnxModel deployed, Adapter adapter, ExportOptions options)
    {
        var file = _folder[$"{(options.KeepBase ? "kept" : "folded")}.onnx"];
        RandomAdapter.Evaluator.Fold(deployed, adapter, options).Save(file);
        return OnnxModel.Load(file);
    }

    private static double Compare(OnnxModel a, OnnxModel b) => RandomAdapter.Evaluator.Compare(a, b, new VerifyOptions { Length = 8 }).MaxRelDiff;
}
