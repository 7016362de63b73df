using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters;
using static LoRTA.Onnx.Runtime.Tests.ServedAdapters;

namespace LoRTA.Onnx.Runtime.Tests;

/// <summary>What a host refuses.</summary>
internal sealed class AdapterHostErrorsTests
{
    [Test]
    public void An_unknown_adapter_is_refused_with_the_names_there_are()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);
        host.Add("alice", Random(Llama, Shape, seed: 1));

        var failure = Assert.Throws<LortaException>(() => host.Run("alise", Inputs))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT618", "there is no adapter 'alise'.")));
        Assert.That(failure.Hint, Is.EqualTo("Did you mean 'alice'? There is alice."));
    }

    [Test]
    public void A_name_is_given_once()
    {
        var adapter = Random(Llama, Shape, seed: 1);
        using var host = new AdapterHost(Engine, Llama, Shape);
        host.Add("alice", adapter);

        Assert.That(Assert.Throws<LortaException>(() => host.Add("alice", adapter))!.Code, Is.EqualTo("LRT617"));
    }

    private static IEnumerable<TestCaseData> OtherShapes =>
    [
        new(Shape with { Method = "lora" }, "method lora, not method lorta"),
        new(Shape with { Targets = ["q", "k"] }, "targets q, k, not targets q, v"),
        new(Shape with { Layers = LayerChoice.Of([0]) }, "layers 0, not layers 0, 1, 2, 3"),
        new(Shape with { Rank = 2 }, "rank 2, not rank 4"),
        new(Shape with { Sites = [new() { Match = "layers.0.q", Alpha = 32 }] }, "layers.0.q of rank 4 and 2 times the scale"),
        new(Shape with { Options = new Dictionary<string, string> { ["rslora"] = "true" } }, "option rslora: true, not option rslora: false"),
    ];

    [TestCaseSource(nameof(OtherShapes))]
    public void An_adapter_of_another_shape_is_refused(AdapterOptions shape, string difference)
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(() => host.Add("alice", Random(Llama, shape, seed: 1)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT616"));
        Assert.That(failure.Message, Does.StartWith("adapter 'alice': ").And.Contain(difference));
        Assert.That(host.Names, Is.Empty);
    }

    [Test]
    public void An_adapter_of_another_model_is_refused()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(() => host.Add("alice", Random(Roberta, Shape, seed: 1)))!;

        Assert.That(failure.Code, Is.EqualTo("LRT310"));
    }

    [Test]
    public void An_adapter_with_parameters_of_the_model_is_refused()
    {
        var adapter = Random(Llama, Shape, seed: 1);
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(
            () => host.Add("alice", adapter with { Config = adapter.Config with { Trainables = ["model.norm.weight"] } }))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT322", failure.Message)));
        Assert.That(failure.Message, Does.Contain("model.norm.weight"));
    }

    [Test]
    public void A_method_that_changes_the_models_own_parameters_is_no_shape() =>
        Assert.That(Assert.Throws<LortaException>(() => new AdapterHost(Engine, Roberta, new() { Method = "bitfit" }))!.Code, Is.EqualTo("LRT322"));

    [Test]
    public void A_missing_input_is_named()
    {
        using var host = new AdapterHost(Engine, Llama, Shape);

        var failure = Assert.Throws<LortaException>(() => host.Run(null, new Dictionary<string, OnnxTensor>()))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT614", failure.Message)));
        Assert.That(failure.Message, Does.Contain("'input_ids'"));
    }
}
