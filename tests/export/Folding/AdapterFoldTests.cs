using System.Security.Cryptography;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Tests.Shared;
using static LoRTA.Onnx.Export.Tests.Folding.FoldedModels;

namespace LoRTA.Onnx.Export.Tests.Folding;

internal sealed class AdapterFoldTests
{
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

    private OnnxModel Folded(OnnxModel deployed, Adapter adapter, ExportOptions? options = null) =>
        FoldedModels.Fold(_folder["folded.onnx"], deployed, adapter, options);

    private static IEnumerable<string> Stored(OnnxModel model) => model.Graph.Initializers.Select(value => $"{value.Name} {value.Constant}");
}
