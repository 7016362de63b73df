using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Folding;

/// <summary>Files with an adapter beside an untouched base.</summary>
internal sealed class KeptBaseTests
{
    private static IEnumerable<string> All => Exports.All.Where(export => !export.StartsWith("smollm2", StringComparison.Ordinal));

    [TestCaseSource(nameof(All))]
    public void Its_attention_is_understood_as_that_of_the_base(string export) =>
        AssertSame(export, deployed => RandomAdapter.For(deployed));

    [TestCaseSource(nameof(All))]
    public void Its_MLPs_are_understood_as_those_of_the_base_where_they_have_branches_too(string export) =>
        AssertSame(export, deployed => RandomAdapter.For(deployed, new AdapterOptions { Method = "lora", Rank = 2, Targets = ["all-linear"] }));

    private static void AssertSame(string export, Func<OnnxModel, Adapter> adapter)
    {
        using var folder = new TestFolder();
        var deployed = OnnxModel.Load(Exports.Path(export));
        RandomAdapter.Evaluator.Fold(deployed, adapter(deployed), new ExportOptions { KeepBase = true }).Save(folder["beside.onnx"]);

        Assert.That(Sites(OnnxModel.Load(folder["beside.onnx"])), Is.EqualTo(Sites(deployed)));
    }

    private static IEnumerable<string> Sites(OnnxModel model)
    {
        var map = AttentionMap.Of(CanonicalModel.Of(model));
        return map.Layers.SelectMany(layer => layer.Sites).Select(site => $"{site.Address}: {site.Stored.Weight} {string.Join(' ', site.Stored.Columns)}");
    }
}
