using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Weights;

internal sealed class FeatureRangesTests
{
    private static readonly FeatureRanges TwoHeads = [(4, 6), (0, 2)];

    [Test]
    public void Features_are_numbered_in_the_order_of_their_owner() => Assert.That(TwoHeads.Numbers, Is.EqualTo(new[] { 4L, 5, 0, 1 }));

    [Test]
    public void The_width_is_the_number_of_features() => Assert.That(TwoHeads.Width, Is.EqualTo(4));

    [Test]
    public void Neighbours_make_one_range() => Assert.That(FeatureRanges.OfNumbers([4, 5, 0, 1]), Is.EqualTo(TwoHeads));

    [Test]
    public void Gaps_are_what_no_range_has() => Assert.That(TwoHeads.Gaps(8), Is.EqualTo(new[] { (2L, 4L), (6L, 8L) }));

    [Test]
    public void A_whole_matrix_has_no_gaps() => Assert.That(FeatureRanges.Of([(2, 8), (0, 2)]).Gaps(8), Is.Empty);

    [TestCase(6, false)]
    [TestCase(5, true)]
    public void Ranges_overlap_where_they_share_a_feature(int start, bool expected) =>
        Assert.That(TwoHeads.Overlaps([(start, 8)]), Is.EqualTo(expected));

    [Test]
    public void Ranges_are_shifted_to_where_their_part_starts() =>
        Assert.That(TwoHeads.Shifted(10), Is.EqualTo(new[] { (14L, 16L), (10L, 12L) }));

    [Test]
    public void Heads_in_another_order_are_not_ascending() =>
        Assert.That((TwoHeads.IsAscending, TwoHeads.Gaps(8).IsAscending), Is.EqualTo((false, true)));

    [Test]
    public void Ranges_are_told_to_people() => Assert.That(TwoHeads.ToString(), Is.EqualTo("4–6, 0–2"));
}
