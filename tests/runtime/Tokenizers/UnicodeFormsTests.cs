using LoRTA.Onnx.Runtime.Tokenizers;

namespace LoRTA.Onnx.Runtime.Tests.Tokenizers;

internal sealed class UnicodeFormsTests
{
    [TestCase("é", "e\u0301")]
    [TestCase("ế", "e\u0302\u0301")]
    [TestCase("한", "\u1112\u1161\u11ab")]
    [TestCase("a\u0301\u0323", "a\u0323\u0301")]
    [TestCase("𝅗𝅥", "\U0001D157\U0001D165")]
    [TestCase("\u212B", "A\u030A")]
    public void Decomposition_is_canonical_and_ordered(string text, string expected) => Assert.That(UnicodeForms.Decompose(text), Is.EqualTo(expected));

    [TestCase("e\u0301", "é")]
    [TestCase("e\u0302\u0301", "ế")]
    [TestCase("e\u0323\u0302", "ệ")]
    [TestCase("e\u0302\u0323", "ệ")]
    [TestCase("\u1112\u1161\u11ab", "한")]
    [TestCase("\u212B", "Å")]
    [TestCase("\u0958", "\u0915\u093C")]
    [TestCase("a\u0328\u0301b", "ą\u0301b")]
    [TestCase("a\u0301\u0301", "á\u0301")]
    [TestCase("plain", "plain")]
    public void Composition_takes_the_shortest_canonical_form(string text, string expected) => Assert.That(UnicodeForms.Compose(text), Is.EqualTo(expected));
}
