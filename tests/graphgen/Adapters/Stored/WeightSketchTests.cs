using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Stored;

internal sealed class WeightSketchTests
{
    private const string Site = "layers.0.q";

    private static readonly float[] Eight = [0.1f, -0.7f, 1.3f, 0.033f, -0.2f, 0.9f, 0.41f, -1.1f];

    private static readonly HashSet<string> Required = new([Site], StringComparer.Ordinal);

    [Test]
    public void Equal_numbers_differ_nowhere() => Assert.That(Of(Eight).DifferencesFrom(Of(Eight), Required), Is.Empty);

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void Numbers_that_are_not_finite_are_a_difference(float number) =>
        Assert.That(Names(Of(Eight).DifferencesFrom(Of([.. Eight[..7], number]), Required)), Is.EqualTo(new[] { Site }));

    [Test]
    public void An_adapted_matrix_without_numbers_is_a_difference() =>
        Assert.That(Empty.DifferencesFrom(Of(Eight), Required), Is.EqualTo(new[] { (Site, double.PositiveInfinity) }));

    [Test]
    public void Any_other_matrix_that_only_one_side_has_is_not_compared() =>
        Assert.That(Empty.DifferencesFrom(Of(Eight), new HashSet<string>()).Concat(Of(Eight).DifferencesFrom(Empty, Required)), Is.Empty);

    [TestCase(ElementType.Float16)]
    [TestCase(ElementType.BFloat16)]
    public void Numbers_that_were_rounded_to_16_bits_are_the_same_weights(ElementType type)
    {
        var rounded = Of(new FloatNumbers(OnnxTensor.FromBytes(type, [2, 4], WeightView.Round(Eight, type))).Read());

        Assert.That(Of(Eight).DifferencesFrom(rounded, Required), Is.Empty);
        Assert.That(rounded.DifferencesFrom(Of(Eight), Required), Is.Empty);
    }

    [Test]
    public void A_stated_tolerance_allows_nothing()
    {
        var other = Of([.. Eight.Select(value => value * 1.01f)]);

        Assert.That((Of(Eight) with { Tolerance = 1e9 }).DifferencesFrom(other, Required), Is.Not.Empty);
    }

    [Test]
    public void Codes_may_differ_by_their_steps_and_no_more()
    {
        float[] steps = [0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f];
        var quantised = Of([.. Eight.Select(value => MathF.Round(value / 0.1f) * 0.1f)], steps);

        Assert.That(quantised.DifferencesFrom(Of(Eight), Required), Is.Empty);
        Assert.That(quantised.DifferencesFrom(Of([.. Eight[..7], -1.3f]), Required), Is.Not.Empty);
    }

    [Test]
    public void Step_beside_a_zero_that_is_far_larger_than_all_others_allows_nothing()
    {
        float[] steps = [1e9f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f];
        var quantised = Of([0, .. Eight[1..].Select(value => MathF.Round(value / 0.1f) * 0.1f)], steps);

        Assert.That(quantised.DifferencesFrom(Of([5, .. Eight[1..]]), Required), Is.Not.Empty);
    }

    [Test]
    public void Lists_of_another_length_and_steps_that_do_not_belong_to_their_values_are_problems()
    {
        Assert.That(Of(Eight).Problem(), Is.Null);
        Assert.That(Of(Eight[..7]).Problem()?.Key, Is.EqualTo("values.layers.0.q"));
        Assert.That(Of(null!).Problem()?.Key, Is.EqualTo("values.layers.0.q"));
        Assert.That(Of(Eight, []).Problem()?.Key, Is.EqualTo("steps.layers.0.q"));
        Assert.That(Of(Eight, [.. Enumerable.Repeat(1e9f, 8)]).Problem()?.Text, Does.Contain("does not divide"));
        Assert.That((Empty with { Steps = Of(Eight).Values }).Problem()?.Key, Is.EqualTo("steps.layers.0.q"));
    }

    private static WeightSketch Empty { get; } = new(new Dictionary<string, IReadOnlyList<float>>());

    private static IEnumerable<string> Names(IEnumerable<(string Name, double)> differences) => differences.Select(difference => difference.Name);

    private static WeightSketch Of(float[] values, float[]? steps = null) => new(new Dictionary<string, IReadOnlyList<float>> { [Site] = values })
    {
        Steps = steps is null ? null : new Dictionary<string, IReadOnlyList<float>> { [Site] = steps },
    };
}
