using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.GraphGen.Tests.Messages;

internal sealed class SuggestionTests
{
    private static readonly string[] Known = ["train", "export", "evaluate", "q", "v"];

    [TestCase("trian", ExpectedResult = "train")]    // swapped
    [TestCase("exprot", ExpectedResult = "export")]
    [TestCase("Train", ExpectedResult = "train")]
    [TestCase("exports", ExpectedResult = "export")]
    [TestCase("eval", ExpectedResult = "evaluate")]  // a start
    [TestCase("convert", ExpectedResult = null)]
    [TestCase("x", ExpectedResult = null)]           // a letter is no mistake in a letter
    [TestCase("", ExpectedResult = null)]
    public string? A_word_is_taken_for_the_nearest(string word) => Suggestion.For(word, Known);

    [TestCase("q_proj", "q")]
    [TestCase("o_proj", "p")]
    [TestCase("fc2", "down")]
    [TestCase("all", "all-linear")]
    public void Names_of_modules_are_known_as_targets(string word, string target)
    {
        var architecture = new Architecture(64, 4, 4, 16, 2, Ffn: 128);

        var failure = Assert.Throws<LortaException>(() => AdapterPlan.Of(architecture, new AdapterOptions { Targets = [word] }))!;

        Assert.That(failure.Hint, Does.StartWith($"Did you mean '{target}'? Choose from q, k, v, p"));
    }
}
