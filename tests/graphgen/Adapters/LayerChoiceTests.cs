using LoRTA.Onnx.GraphGen.Adapters;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

internal sealed class LayerChoiceTests
{
    [TestCase("0,2-5", "0,2,3,4,5")]
    [TestCase("3,1,3", "1,3")]
    [TestCase("all", "all")]
    public void Ranges_and_indices_become_an_ordered_list(string text, string expected)
    {
        Assert.That(LayerChoice.TryParse(text, out var choice), Is.True);
        Assert.That(choice.ToString(), Is.EqualTo(expected));
    }

    [TestCase("")]
    [TestCase("5-2")]
    [TestCase("-1")]
    [TestCase("1-2-3")]
    [TestCase("0-999999999")]
    public void What_is_no_choice_is_refused(string text) => Assert.That(LayerChoice.TryParse(text, out _), Is.False);
}
