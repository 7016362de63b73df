using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Weights;

/// <summary>Where the elements of a view lie in the stored tensor.</summary>
internal sealed class StoredAxesTests
{
    [Test]
    public void A_stored_matrix_is_itself() =>
        Assert.That(StoredAxes.Of([2, 3]).Matrix(), Is.EqualTo((false, 2L, 3L)));

    [Test]
    public void A_transpose_is_named_with_the_stored_sizes() =>
        Assert.That(StoredAxes.Of([2, 3]).Transpose([1, 0])!.Matrix(), Is.EqualTo((true, 2L, 3L)));

    [Test]
    public void Axes_of_length_one_do_not_count() =>
        Assert.That(StoredAxes.Of([3, 1, 2]).Transpose([1, 2, 0])!.Matrix(), Is.EqualTo((true, 3L, 2L)));

    [Test]
    public void Numbers_in_a_row_become_a_matrix() =>
        Assert.That(StoredAxes.Of([6]).Reshape([2, 3])!.Transpose(null)!.Matrix(), Is.EqualTo((true, 2L, 3L)));

    [Test]
    public void Heads_that_are_moved_between_rows_are_no_rows_or_columns() =>
        Assert.That(StoredAxes.Of([2, 4, 3]).Transpose([1, 0, 2])!.Reshape([4, 6])!.Matrix(), Is.Null);

    [Test]
    public void A_reshape_across_a_transpose_is_not_followed() =>
        Assert.That(StoredAxes.Of([2, 3]).Transpose([1, 0])!.Reshape([2, 3]), Is.Null);

    [Test]
    public void A_tensor_without_elements_is_not_followed_through_a_reshape() =>
        Assert.That(StoredAxes.Of([4, 0]).Reshape([4, 0]), Is.Null);

    [Test]
    public void Each_stored_position_has_its_index_along_each_axis()
    {
        var axes = StoredAxes.Of([2, 3]).Transpose([1, 0])!;

        Assert.That(Enumerable.Range(0, 6).Select(stored => (axes.IndexAlong(0, stored), axes.IndexAlong(1, stored))),
            Is.EqualTo(new (long, long)[] { (0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1) }));
    }
}
