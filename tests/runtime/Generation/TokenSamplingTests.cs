using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Runtime.Generation;

namespace LoRTA.Onnx.Runtime.Tests.Generation;

internal sealed class TokenSamplingTests
{
    // softmax: 0.1, 0.2, 0.3, 0.4
    private static readonly float[] Logits = [0, MathF.Log(2), MathF.Log(3), MathF.Log(4)];

    [Test]
    public void Temperature_0_takes_the_likeliest_token_and_the_first_of_equal_ones()
    {
        Assert.That(TokenSampling.Choose(Logits, 0, new SamplingOptions()), Is.EqualTo(3));
        Assert.That(TokenSampling.Choose([1, 2, 2], 0, new SamplingOptions()), Is.EqualTo(1));
    }

    [TestCase(1.0, new[] { 0.1, 0.2, 0.3, 0.4 })]
    [TestCase(0.5, new[] { 1 / 30.0, 4 / 30.0, 9 / 30.0, 16 / 30.0 })]
    public void Draws_have_the_probabilities_of_the_softmax(double temperature, double[] expected) =>
        Assert.That(Frequencies(new SamplingOptions { Temperature = temperature }), Is.EqualTo(expected).Within(0.02));

    [Test]
    public void Top_k_leaves_the_likeliest() => Assert.That(Frequencies(new SamplingOptions { Temperature = 1, TopK = 2 }), Is.EqualTo(new[] { 0, 0, 3 / 7.0, 4 / 7.0 }).Within(0.02));

    [TestCase(0.3, new[] { 0, 0, 0, 1.0 })]
    [TestCase(0.6, new[] { 0, 0, 3 / 7.0, 4 / 7.0 })]
    public void Top_p_leaves_the_likeliest_that_reach_the_sum(double p, double[] expected) =>
        Assert.That(Frequencies(new SamplingOptions { Temperature = 1, TopP = p }), Is.EqualTo(expected).Within(0.02));

    [Test]
    public void A_draw_is_a_function_of_seed_and_step()
    {
        int[] Draws(long seed) => [.. Enumerable.Range(0, 50).Select(step => TokenSampling.Choose(Logits, step, new SamplingOptions { Temperature = 1, Seed = seed }))];

        var (first, again, other) = (Draws(1), Draws(1), Draws(2));
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void Logits_that_are_no_numbers_are_refused(float logit) =>
        Assert.That(() => TokenSampling.Choose([0, logit, 1], 4, new SamplingOptions()), Throws.InstanceOf<LortaException>().With.Property("Code").EqualTo("LRT624").And.Message.Contains("token 5"));

    private static double[] Frequencies(SamplingOptions options)
    {
        var counts = new double[Logits.Length];
        for (var step = 0; step < 5000; step++) counts[TokenSampling.Choose(Logits, step, options)] += 1 / 5000.0;
        return counts;
    }
}
