using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Tensors;

public sealed class DimTests
{
    private static readonly Dim B = Dim.Symbol("batch");
    private static readonly Dim P = Dim.Symbol("past");
    private static readonly Dim S = Dim.Symbol("sequence");

    [Test]
    public void Equal_polynomials_are_equal_however_they_were_made()
    {
        Assert.That((P + S) * B, Is.EqualTo((B * S) + (P * B)));
        Assert.That(S - S, Is.EqualTo(new Dim(0)));
        Assert.That(default(Dim), Is.EqualTo(new Dim(0)));
        Assert.That(((S + 1) * (S - 1)).GetHashCode(), Is.EqualTo(((S * S) - 1).GetHashCode()));
        Assert.That(S * P, Is.Not.EqualTo(S + P));
    }

    [Test]
    public void Division_is_exact_or_refused()
    {
        Assert.That(Dim.Divide((P + S) * B * 12, (P + S) * 4), Is.EqualTo(3 * B));
        Assert.That(Dim.Divide((S * S) - 1, S - 1), Is.EqualTo(S + 1));
        Assert.That(Dim.Divide((B + S) * (P + S + 2), B + S), Is.EqualTo(P + S + 2));
        Assert.That(Dim.Divide(0, S), Is.EqualTo(new Dim(0)));
        Assert.That(Dim.Divide(S, 2), Is.Null);
        Assert.That(Dim.Divide(S, P), Is.Null);
        Assert.That(Dim.Divide((S * S) + 1, S - 1), Is.Null);
        Assert.That(Dim.Divide(S, 0), Is.Null);
    }

    [TestCase("0")]
    [TestCase("batch")]
    [TestCase("past + sequence")]
    [TestCase("4*batch*sequence")]
    [TestCase("-1 + sequence")]
    public void Text_is_read_as_it_was_written(string text) => Assert.That(Dim.Parse(text).ToString(), Is.EqualTo(text));

    [TestCase("unk__12")]
    [TestCase("Max(2, sequence)")]
    [TestCase("Addlogits_dim_1")]
    [TestCase("(s0//2)")]
    [TestCase("")]
    public void Other_text_is_one_symbol(string text) => Assert.That(Dim.Parse(text), Is.EqualTo(Dim.Symbol(text)));

    [Test]
    public void A_declared_sum_is_the_sum() => Assert.That(Dim.Parse("sequence + past"), Is.EqualTo(P + S));

    [Test]
    public void Only_numbers_are_known()
    {
        Assert.That((S - S + 3).Value, Is.EqualTo(3));
        Assert.That(S.IsKnown, Is.False);
        Assert.That((2 * S).Evaluate(symbol => symbol == "sequence" ? 7 : 0), Is.EqualTo(14));
    }

    [Test]
    public void A_size_has_no_negative_part()
    {
        Assert.That((P + S).IsSize);
        Assert.That((P - S).IsSize, Is.False);
    }
}
