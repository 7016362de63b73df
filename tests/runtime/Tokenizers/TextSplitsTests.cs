using System.Text.RegularExpressions;
using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Tests.Tokenizers;

internal sealed class TextSplitsTests
{
    // The example of Hugging Face's documentation.
    [TestCase("Removed", "the|final|countdown")]
    [TestCase("Isolated", "the|-|final|-|-|countdown")]
    [TestCase("MergedWithPrevious", "the-|final-|-|countdown")]
    [TestCase("MergedWithNext", "the|-final|-|-countdown")]
    [TestCase("Contiguous", "the|-|final|--|countdown")]
    public void Matches_go_where_the_behavior_says(string behavior, string expected)
    {
        var words = TextSplits.At(new Regex("-"), Enum.Parse<TextSplits.Behavior>(behavior), invert: false, "the-final--countdown");

        Assert.That(string.Join('|', words), Is.EqualTo(expected));
    }

    [Test]
    public void Letters_beyond_the_first_plane_are_letters()
    {
        var words = TextSplits.At(TextSplits.Gpt2, TextSplits.Behavior.Isolated, invert: false, "x𐐀 𐐨!😀");

        Assert.That(words, Is.EqualTo(["x𐐀", " 𐐨", "!😀"]));
    }
}
