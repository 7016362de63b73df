using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

internal sealed class FoldGraphTests
{
    private static readonly Architecture Sizes = new(Hidden: 8, Heads: 2, KvHeads: 2, HeadWidth: 4, Layers: 2);

    [TestCase("lorta", ExpectedResult = true)]
    [TestCase("lora", ExpectedResult = true)]
    [TestCase("branch", ExpectedResult = false)]
    [TestCase("prefix", ExpectedResult = false)]
    public bool Family_without_a_folded_weight_cannot_be_folded(string method) =>
        FoldGraph.IsPossible(AdapterPlan.Of(Sizes, new AdapterOptions { Method = method }, LortaCatalog.Default.With(new AdapterFamilyEntry("branch", [], _ => new Branch()))));

    [Test]
    public void Factors_without_any_site_cannot_be_folded()
    {
        var plan = AdapterPlan.Of(Sizes, new AdapterOptions { Method = "branch" }, LortaCatalog.Default.With(new AdapterFamilyEntry("branch", [], _ => new Branch())));

        Assert.That(FoldGraph.IsPossible(plan with { Sites = plan.Sites with { All = [] } }), Is.False);
    }

    private sealed class Branch : IAdapterFamily
    {
        public string Method => "branch";

        public IReadOnlyList<Factor> Factors(AdapterSites sites) => [];
    }
}
