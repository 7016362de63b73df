using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Export.Tests.Folding.FoldedModels;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Folded weights that are not float32: how they are stored, and what they lose.</summary>
internal sealed class FoldedRoundingTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void Half_precision_stays_and_its_rounding_is_stated()
    {
        var deployed = OnnxModel.Load(Exports.Path("minilm/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed);

        var result = RandomAdapter.Evaluator.Fold(deployed, adapter);
        result.Model.Save(_folder["folded.onnx"]);
        var (folded, rounding) = (OnnxModel.Load(_folder["folded.onnx"]), result.Rounding()!);

        Assert.That(Sites(folded).Select(site => folded.Graph.Find(site.Stored.Weight)!.Constant!.Type), Is.All.EqualTo(ElementType.Float16));
        Assert.That((rounding.Type, rounding.Weights), Is.EqualTo(("float16", 24)));
        Assert.That(rounding.MaxRel, Is.InRange(1e-5, 1.0 / 2048));
        Assert.That(Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, folded).MaxRelDiff, Is.InRange(1e-6, 5e-3));
    }

    [TestCase("llama-mini/genai-int4", "uint4, blocks of 32", 8, 0.2)]
    [TestCase("llama-mini/int8-qdq", "int8, one scale per feature", 16, 0.02)]
    [TestCase("roberta-mini/seqcls.int8-dynamic", "int8, one scale", 16, 0.2)]
    public void Quantised_weights_are_quantised_again_in_their_own_blocks(string export, string form, int weights, double rounding)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var adapter = RandomAdapter.For(deployed, "lora");

        var result = RandomAdapter.Evaluator.Fold(deployed, adapter);
        result.Model.Save(_folder["folded.onnx"]);
        var folded = OnnxModel.Load(_folder["folded.onnx"]);

        Assert.That((result.Rounding()!.Type, result.Rounding()!.Weights), Is.EqualTo((form, weights)));
        Assert.That(result.Rounding()!.MaxRel, Is.InRange(1e-4, rounding));
        var (exact, asFolded, asBefore) = (Numbers(adapter, deployed), Sites(folded).Select(site => Numbers(folded, site)), Sites(deployed).Select(site => Numbers(deployed, site)));
        foreach (var (wanted, found, before) in exact.Zip(asFolded, asBefore)) Assert.That(Distance(wanted, found), Is.LessThan(0.5 * Distance(wanted, before)), "folding must come closer than leaving the base as it is");
    }

    [Test]
    public void Number_that_float16_cannot_hold_is_named()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/fp16"));
        var adapter = RandomAdapter.For(deployed);
        var huge = adapter with { Tensors = adapter.Tensors.ToDictionary(pair => pair.Key, pair => OnnxTensor.Of<float>([.. pair.Value.Dims], [.. pair.Value.ToFloats().Select(x => 100 * x)])) };

        var failure = Assert.Throws<LortaException>(() => Folded(deployed, huge))!;

        Assert.That(failure.Message, Does.Contain("layers.0.q").And.Contain("float16"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    [Test]
    public void Rounding_that_is_stated_is_that_of_the_file()
    {
        var deployed = OnnxModel.Load(Exports.Path("minilm/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed);
        var result = RandomAdapter.Evaluator.Fold(deployed, adapter);
        result.Model.Save(_folder["narrow.onnx"]);
        RandomAdapter.Evaluator.Fold(deployed, adapter, new ExportOptions { Widen = true }).Save(_folder["wide.onnx"]);
        var (narrow, wide) = (OnnxModel.Load(_folder["narrow.onnx"]), OnnxModel.Load(_folder["wide.onnx"]));

        var found = Sites(narrow).Zip(Sites(wide)).Max(pair => Numbers(narrow, pair.First).Zip(Numbers(wide, pair.Second)).Max(values => Math.Abs((double)values.First - values.Second)));

        Assert.That(result.Rounding()!.MaxAbs, Is.EqualTo(found).Within(1e-9));
    }

    [Test]
    public void Widened_weights_are_float32_and_exact()
    {
        var deployed = OnnxModel.Load(Exports.Path("minilm/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed);

        var folded = Folded(deployed, adapter, new ExportOptions { Widen = true });

        Assert.That(Sites(folded).Select(site => folded.Graph.Find(site.Stored.Weight)!.Constant!.Type), Is.All.EqualTo(ElementType.Float));
        Assert.That(Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, folded).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
        Assert.That(folded.Graph.Initializers.Any(value => value.Constant!.Type == ElementType.Float16), Is.True, "all other weights stay narrow");
    }

    [Test]
    public void Float32_weights_state_no_rounding()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        Assert.That(RandomAdapter.Evaluator.Fold(deployed, RandomAdapter.For(deployed)).Rounding(), Is.Null);
    }

    private OnnxModel Folded(OnnxModel deployed, Adapter adapter, ExportOptions? options = null) =>
        FoldedModels.Fold(_folder["folded.onnx"], deployed, adapter, options);

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
}
