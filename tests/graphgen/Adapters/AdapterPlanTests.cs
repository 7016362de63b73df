using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Errors;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

internal sealed class AdapterPlanTests
{
    private static readonly Architecture Sizes = new(Hidden: 16, Heads: 4, KvHeads: 2, HeadWidth: 4, Layers: 3);

    [Test]
    public void Unknown_target_is_refused()
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Targets = ["q", "gate"] }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT304", true)));
        Assert.That(failure.Message, Does.Contain("'gate'"));
    }

    [TestCase(3)]
    [TestCase(-1)]
    public void Layer_that_the_model_lacks_is_refused(int layer)
    {
        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(Sizes, new AdapterOptions { Layers = [0, layer] }))!;

        Assert.That((failure.Code, failure.IsUsage), Is.EqualTo(("LRT305", true)));
        Assert.That(failure.Hint, Does.Contain("0 to 2"));
    }

    [TestCase("q", 16, 16)]
    [TestCase("k", 16, 8)]
    [TestCase("v", 16, 8)]
    [TestCase("p", 16, 16)]
    public void Sizes_of_a_site_follow_from_heads_and_width(string matrix, int input, int output)
    {
        var site = AdapterPlan.Of(Sizes, new AdapterOptions { Targets = [matrix] }).Sites.All[0];

        Assert.That((site.In, site.Out), Is.EqualTo((input, output)));
    }

    [Test]
    public void Family_of_the_users_own_is_found_in_the_list_that_is_given()
    {
        var families = new[] { new AdapterFamilyEntry("mine", [], options => AdapterFamilies.Create(options with { Method = "lora" })) };

        var plan = AdapterPlan.Of(Sizes, new AdapterOptions { Method = "mine" }, families);

        Assert.That(plan.Family.Method, Is.EqualTo("lora"));
    }
}
