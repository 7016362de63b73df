using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests;

/// <summary>What there is to choose from is a value that is passed on.</summary>
internal sealed class LortaCatalogTests
{
    private static readonly Architecture Sizes = new(Hidden: 8, Heads: 2, KvHeads: 2, HeadWidth: 4, Layers: 2);

    [Test]
    public void A_family_is_in_the_catalog_that_it_was_added_to_and_in_no_other()
    {
        var options = new AdapterOptions { Method = "gain" };

        var plan = AdapterPlan.Of(Sizes, options, LortaCatalog.Default.With(Gain.Entry));

        Assert.That(plan.Family, Is.TypeOf<Gain>());
        Assert.That(() => AdapterPlan.Of(Sizes, options), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT301"));
    }

    [Test]
    public void A_second_family_of_a_name_is_refused() =>
        Assert.That(
            () => LortaCatalog.Default.With(Gain.Entry with { Method = "lora" }),
            Throws.ArgumentException.With.Message.Contains("'lora'"));

    [Test]
    public void What_was_added_comes_last() =>
        Assert.That(LortaCatalog.Default.With(Gain.Entry).Families, Is.EqualTo(LortaCatalog.Default.Families.Append(Gain.Entry)));
}
