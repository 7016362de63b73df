using LoRTA.Onnx.GraphGen.Adapters;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

internal sealed class AdapterOptionsTests
{
    private static IEnumerable<TestCaseData> Senseless =>
    [
        new(new AdapterOptions { Rank = 0 }, "adapter.rank: must be >= 1, was 0."),
        new(new AdapterOptions { Alpha = -0.5 }, "adapter.alpha: must be >= 0, was -0.5."),
        new(new AdapterOptions { Dropout = 1 }, "adapter.dropout: must be >= 0 and < 1, was 1."),
        new(new AdapterOptions { Targets = [] }, "adapter.targets: must name a matrix."),
        new(new AdapterOptions { Targets = ["q", ""] }, "adapter.targets: names a matrix without a letter."),
        new(new AdapterOptions { Targets = ["q", "v", "q"] }, "adapter.targets: names a matrix twice."),
        new(new AdapterOptions { Layers = LayerChoice.Of() }, "adapter.layers: must name a layer."),
        new(new AdapterOptions { Rank = 0, Targets = [] }, "adapter.rank: must be >= 1, was 0; adapter.targets: must name a matrix."),
    ];

    [TestCaseSource(nameof(Senseless))]
    public void Everything_senseless_is_named_at_once(AdapterOptions options, string message)
    {
        var failure = Assert.Throws<LortaException>(options.Validate)!;

        Assert.That((failure.Code, failure.IsUsage, failure.Message), Is.EqualTo(("LRT319", true, message)));
    }

    [Test]
    public void Defaults_make_sense() => Assert.That(new AdapterOptions().Problems(), Is.Empty);
}
