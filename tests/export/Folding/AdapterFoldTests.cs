using System.Security.Cryptography;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

internal sealed class AdapterFoldTests
{
    private static readonly VerifyOptions Quick = new() { Length = 12 };

    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [TestCase("llama-mini/ts-sdpa", "lorta")]
    [TestCase("llama-mini/ts-sdpa", "lora")]
    [TestCase("llama-mini/ts-eager", "lora")]
    [TestCase("llama-mini/dynamo18", "lorta")]
    [TestCase("llama-mini/dynamo18", "lora")]
    [TestCase("llama-mini/optimum-past", "lorta")]
    [TestCase("llama-mini/external/ts-sdpa", "lorta")]
    [TestCase("llama-mini/extra/shared-attention", "lorta")]
    [TestCase("llama-mini/extra/shared-attention", "lora")]
    [TestCase("llama-mini/dynamo18-raw", "lorta")]
    [TestCase("llama-mini/dynamo23", "lora")]
    [TestCase("llama-mini/genai", "lorta")]
    [TestCase("llama-mini/genai", "lora")]
    [TestCase("llama-mini/genai", "adalora")]
    [TestCase("llama-mini/genai-qkv", "lorta")]
    [TestCase("roberta-mini/seqcls.ort-fused", "lorta")]
    [TestCase("roberta-mini/seqcls.ort-fused", "lora")]
    [TestCase("roberta-mini/seqcls.ort-fused", "adalora")]
    [TestCase("roberta-mini/seqcls.mha-fused", "lorta")]
    [TestCase("roberta-mini/seqcls.train-mode", "lora")]
    [TestCase("roberta-mini/extra/bert-tiny.ort-fused", "lorta")]
    [TestCase("roberta-mini/seqcls.ts-eager", "lorta")]
    [TestCase("roberta-mini/seqcls.optimum", "lorta")]
    [TestCase("roberta-mini/seqcls.dynamo18", "lora")]
    [TestCase("esm-mini/mlm.ts-eager", "lorta")]
    [TestCase("esm-mini/tokencls.ts-sdpa", "lora")]
    public void Folded_model_computes_what_the_adapted_one_computes(string export, string method)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var adapter = RandomAdapter.For(deployed, method);

        var folded = Folded(deployed, adapter);

        Assert.That(Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, folded).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
        Assert.That(Compare(deployed, folded).MaxRelDiff, Is.GreaterThan(1e-4), "the adapter must change something");
    }

    [TestCase("llama-mini/dynamo18")]
    [TestCase("llama-mini/optimum-past")]
    [TestCase("llama-mini/ts-eager")]
    [TestCase("llama-mini/genai")]
    [TestCase("llama-mini/dynamo23")]
    public void Adapter_of_one_export_folds_into_another_with_the_same_logits(string export)
    {
        var trained = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapter = RandomAdapter.For(trained);

        var folded = Folded(OnnxModel.Load(Exports.Path(export)), adapter);

        Assert.That(Compare(AdaptedModels.Switchable(UnderstoodModel.Of(trained), adapter, allowOtherBase: false, LortaCatalog.Default).Model, folded).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
    }

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/dynamo18")]
    [TestCase("llama-mini/optimum-past")]
    [TestCase("llama-mini/external/ts-sdpa")]
    [TestCase("minilm/ts-sdpa")]
    [TestCase("llama-mini/genai")]
    [TestCase("llama-mini/genai-int4")]
    [TestCase("llama-mini/int8-qdq")]
    [TestCase("llama-mini/fp16")]
    [TestCase("roberta-mini/seqcls.ort-fused")]
    [TestCase("roberta-mini/seqcls.int8-dynamic")]
    public void Everything_but_the_numbers_stays(string export)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));

        var folded = Folded(deployed, RandomAdapter.For(deployed));

        Assert.Multiple(() =>
        {
            Assert.That(folded.Graph.Inputs.Select(value => value.ToString()), Is.EqualTo(deployed.Graph.Inputs.Select(value => value.ToString())));
            Assert.That(folded.Graph.Outputs.Select(value => value.ToString()), Is.EqualTo(deployed.Graph.Outputs.Select(value => value.ToString())));
            Assert.That(folded.Opsets, Is.EqualTo(deployed.Opsets));
            Assert.That((folded.IrVersion, folded.Producer, folded.Graph.Name), Is.EqualTo((deployed.IrVersion, deployed.Producer, deployed.Graph.Name)));
            Assert.That(folded.Metadata, Is.EqualTo(deployed.Metadata));
            Assert.That(folded.Graph.Nodes.Select(node => $"{node.Name} {node.OpType}"), Is.EqualTo(deployed.Graph.Nodes.Select(node => $"{node.Name} {node.OpType}")));
            Assert.That(Stored(folded), Is.EquivalentTo(Stored(deployed)));
        });
    }

    [Test]
    public void Only_adapted_weights_change()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapted = AttentionMap.Of(CanonicalModel.Of(deployed)).Layers.SelectMany(layer => layer.Sites).Where(site => site.Heads is not null).Select(site => site.Stored.Weight);

        var folded = Folded(deployed, RandomAdapter.For(deployed));

        var changed = deployed.Graph.Initializers.Where(value => !value.Constant!.Bytes.SequenceEqual(folded.Graph.Find(value.Name)!.Constant!.Bytes)).Select(value => value.Name);
        Assert.That(changed, Is.EquivalentTo(adapted));
    }

    [Test]
    public void External_data_stay_external()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/external/ts-sdpa"));

        Folded(deployed, RandomAdapter.For(deployed));

        Assert.That(_folder.Entries, Has.Count.EqualTo(2).And.One.EqualTo("folded.onnx").And.One.Matches("^folded\\.onnx\\.[0-9a-f]{16}\\.data$"));
        Assert.That(new FileInfo(_folder[_folder.Entries[0] == "folded.onnx" ? _folder.Entries[1] : _folder.Entries[0]]).Length, Is.GreaterThan(10 * new FileInfo(_folder["folded.onnx"]).Length));
    }

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/external/ts-sdpa")]
    [TestCase("llama-mini/extra/shared-attention")]
    public void Deployed_file_is_never_changed(string export)
    {
        string Hash() => string.Join(' ', Directory.GetFiles(Path.GetDirectoryName(Exports.Path(export))!, $"{Path.GetFileName(Exports.Path(export))}*").Order(StringComparer.Ordinal).Select(path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))));
        var before = Hash();
        var deployed = OnnxModel.Load(Exports.Path(export));
        var adapter = RandomAdapter.For(deployed);

        Folded(deployed, adapter);

        Assert.That(Hash(), Is.EqualTo(before));
        Assert.That(Compare(deployed, OnnxModel.Load(Exports.Path(export))).MaxAbsDiff, Is.Zero, "nor is its graph in memory");
    }

    [Test]
    public void Layers_that_share_a_stored_weight_get_weights_of_their_own()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/extra/shared-attention"));
        var before = Sites(deployed);
        Assert.That(before.Select(site => site.Stored.Weight).Distinct().Count(), Is.EqualTo(4), "two layers, four stored matrices");

        var folded = Folded(deployed, RandomAdapter.For(deployed));

        Assert.That(Sites(folded).Select(site => Convert.ToHexString(SHA256.HashData(folded.Graph.Find(site.Stored.Weight)!.Constant!.Bytes))).Distinct().Count(), Is.EqualTo(8));
    }

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

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/genai")]
    [TestCase("llama-mini/genai-int4")]
    [TestCase("llama-mini/int8-qdq")]
    [TestCase("roberta-mini/seqcls.ort-fused")]
    [TestCase("roberta-mini/seqcls.mha-fused")]
    [TestCase("roberta-mini/seqcls.int8-dynamic")]
    [TestCase("roberta-mini/extra/bert-tiny.ort-fused")]
    public void Adapter_beside_an_untouched_base_is_exact(string export)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var adapter = RandomAdapter.For(deployed);

        var beside = Folded(deployed, adapter, new ExportOptions { KeepBase = true });

        Assert.That(Compare(AdaptedModels.Switchable(UnderstoodModel.Of(deployed), adapter, allowOtherBase: false, LortaCatalog.Default).Model, beside).MaxRelDiff, Is.LessThanOrEqualTo(1e-5));
        Assert.That(Compare(deployed, beside).MaxRelDiff, Is.GreaterThan(1e-4), "the adapter must change something");
        Assert.That(beside.Graph.Inputs.Select(input => input.Name), Is.EqualTo(deployed.Graph.Inputs.Select(input => input.Name)));
        foreach (var value in deployed.Graph.Initializers.Where(value => beside.Graph.Find(value.Name) is not null))
            Assert.That(beside.Graph.Find(value.Name)!.Constant!.Bytes.SequenceEqual(value.Constant!.Bytes), Is.True, value.Name);
    }

    [Test]
    public void Adapter_of_the_float32_model_is_recognised_by_the_quantised_one()
    {
        var adapter = RandomAdapter.For(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")));
        var (fourBits, eightBits) = (OnnxModel.Load(Exports.Path("llama-mini/genai-int4")), OnnxModel.Load(Exports.Path("llama-mini/int8-qdq")));

        Assert.DoesNotThrow(() => Folded(fourBits, adapter));
        Assert.DoesNotThrow(() => Folded(eightBits, adapter, new ExportOptions { KeepBase = true }));
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

    [Test]
    public void Adapter_of_another_architecture_is_refused()
    {
        var adapter = RandomAdapter.For(OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager")));

        var failure = Assert.Throws<LortaException>(() => Folded(OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa")), adapter))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    [Test]
    public void Adapter_of_other_weights_is_refused_unless_allowed()
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed);
        var weight = deployed.Graph.Find(Sites(deployed)[5].Stored.Weight)!;
        weight.Constant = OnnxTensor.Of<float>([.. weight.Constant!.Dims], weight.Constant.ToFloats().Select(value => -value).ToArray());

        Assert.That(Assert.Throws<LortaException>(() => Folded(deployed, adapter))!.Code, Is.EqualTo("LRT311"));
        Assert.That(() => Folded(deployed, adapter, new ExportOptions { AllowOtherBase = true }), Throws.Nothing);
    }

    [TestCase("lorta", "C_H")]
    [TestCase("lora", "layers.3.p.B")]
    public void Missing_tensor_is_named(string method, string name)
    {
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));
        var adapter = RandomAdapter.For(deployed, method);

        var failure = Assert.Throws<LortaException>(() => Folded(deployed, adapter with { Tensors = adapter.Tensors.Where(pair => pair.Key != name).ToDictionary() }))!;

        Assert.That(failure.Code, Is.EqualTo("LRT309"));
        Assert.That(failure.Message, Does.Contain($"'{name}'"));
        Assert.That(_folder.Entries, Is.Empty);
    }

    [Test]
    public void Folder_that_cannot_be_is_an_error_and_leaves_nothing()
    {
        _folder.Write("file", "not a folder");
        var deployed = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        var failure = Assert.Throws<LortaException>(() => RandomAdapter.Evaluator.Fold(deployed, RandomAdapter.For(deployed)).Save(_folder["file", "folded.onnx"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT104"));
        Assert.That(_folder.Entries, Is.EqualTo(new[] { "file" }));
    }

    [TestCase("llama-mini/ts-sdpa")]
    [TestCase("llama-mini/external/ts-sdpa")]
    public void Disk_that_fills_up_while_weights_are_written_leaves_the_old_file(string export)
    {
        File.WriteAllText(_folder["folded.onnx"], "old");
        var deployed = OnnxModel.Load(Exports.Path(export));
        var folded = RandomAdapter.Evaluator.Fold(deployed, RandomAdapter.For(deployed)).Model;
        var last = folded.Graph.Find(Sites(folded)[^1].Stored.Weight)!;
        last.Constant = OnnxTensor.Streamed(ElementType.Float, [.. last.Constant!.Dims], () => throw new IOException("No space left on device."));

        var failure = Assert.Throws<LortaException>(() => folded.Save(_folder["folded.onnx"]))!;

        Assert.That(failure.Code, Is.EqualTo("LRT104"));
        Assert.That(failure.Message, Does.Contain("No space left on device"));
        Assert.That((string.Join(' ', _folder.Entries), File.ReadAllText(_folder["folded.onnx"])), Is.EqualTo(("folded.onnx", "old")));
    }

    private OnnxModel Folded(OnnxModel deployed, Adapter adapter, ExportOptions? options = null)
    {
        RandomAdapter.Evaluator.Fold(deployed, adapter, options ?? new ExportOptions()).Save(_folder["folded.onnx"]);
        return OnnxModel.Load(_folder["folded.onnx"]);
    }

    private static VerifyResult Compare(OnnxModel a, OnnxModel b) => RandomAdapter.Evaluator.Compare(a, b, Quick);

    private static List<Projection> Sites(OnnxModel model) => [.. AttentionMap.Of(CanonicalModel.Of(model)).Layers.SelectMany(layer => layer.Sites).Where(site => site.Heads is not null)];

    private static float[] Numbers(OnnxModel model, Projection site) => BaseModels.Matrix(model, site).Read();

    // W′ of each site before it is rounded.
    private static IEnumerable<float[]> Numbers(Adapter adapter, OnnxModel deployed)
    {
        var understood = UnderstoodModel.Of(deployed);
        var plan = AdapterPlan.Of(understood, adapter.Config.AdapterOptions);
        var fold = new FoldGraph(plan, adapter.FactorsOf(plan), RandomAdapter.Evaluator);
        return [.. Sites(deployed).Select(linear => plan.Sites.All.Single(site => site.Address == linear.Address)).Zip(Sites(deployed), (site, linear) => fold.Fold(site, OnnxTensor.Of<float>([site.In, site.Out], Numbers(deployed, linear)), null)!.Value.Weight.ToFloats())];
    }

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));

    private static IEnumerable<string> Stored(OnnxModel model) => model.Graph.Initializers.Select(value => $"{value.Name} {value.Constant}");
}
