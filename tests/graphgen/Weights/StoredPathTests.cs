using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Weights;

/// <summary>The way from a value to its stored tensor.</summary>
internal sealed class StoredPathTests
{
    private readonly Graph _graph = new("weights");
    private readonly Tape _tape;

    public StoredPathTests() => _tape = new Tape(_graph);

    [Test]
    public void Views_are_listed_in_the_order_of_the_data()
    {
        var stored = Stored(6);

        var path = StoredPath.Of(stored.Reshape(2, 3).MoveAxes(1, 0).Value)!;

        Assert.That(path.Stored, Is.EqualTo(stored.Value));
        Assert.That(path.Through, Is.EqualTo(new[] { "Reshape", "Transpose" }));
        Assert.That(path.IsTransposed, Is.True);
    }

    [Test]
    public void A_scale_of_features_is_known_at_each_stored_position()
    {
        var scaled = Stored(2, 3) * _tape.Constant(OnnxTensor.Vector<float>(10, 20, 30));

        var factor = StoredPath.Of(scaled.T.Value)!.Factor()!;

        Assert.That(Enumerable.Range(0, 6).Select(position => factor(position)), Is.EqualTo(new[] { 10f, 20, 30, 10, 20, 30 }));
    }

    // Both sides of each scale are followed: the time doubles with each.
    [TestCase(6, true)]
    [TestCase(7, false)]
    public void A_few_scales_one_behind_the_other_are_followed_and_no_more(int scales, bool isFollowed)
    {
        var factors = Enumerable.Range(2, scales).Select(factor => _tape.Constant(OnnxTensor.Scalar((float)factor)));
        var scaled = factors.Aggregate(Stored(2, 3), (weight, factor) => weight * factor);

        var path = StoredPath.Of(scaled.Value);

        Assert.That(path?.Steps.Count == scales, Is.EqualTo(isFollowed));
    }

    [Test]
    public void A_listed_initializer_is_stored()
    {
        var listed = _graph.AddInput("listed", ElementType.Float, [2, 3], OnnxTensor.Of<float>([2, 3], new float[6]));

        Assert.That(StoredPath.Of(listed)!.Stored, Is.EqualTo(listed));
    }

    [Test]
    public void What_is_computed_from_inputs_has_no_path_and_no_obstacle()
    {
        var computed = _tape[_graph.AddInput("x", ElementType.Float, [2, 3])] * Stored(2, 3);

        Assert.That(StoredPath.Of(computed.Value), Is.Null);
        Assert.That(StoredPath.WhyNot(computed.Value), Is.Null);
    }

    [Test]
    public void A_sum_of_stored_tensors_is_named() =>
        Assert.That(StoredPath.WhyNot((Stored(2, 3) + Stored(2, 3)).T.Value), Does.Contain("a sum of stored tensors"));

    [Test]
    public void Readers_are_found_behind_views()
    {
        var stored = Stored(3, 2);
        var product = _tape[_graph.AddInput("x", ElementType.Float, [1, 2])].MatMul(stored.MoveAxes(1, 0).Cast(ElementType.Double).Cast(ElementType.Float));

        Assert.That(StoredPath.ReadersOf(stored.Value).Single().Node, Is.EqualTo(product.Value.Producer));
    }

    private Expr Stored(params long[] dims) =>
        _tape.Constant(OnnxTensor.Of<float>(dims, [.. Enumerable.Range(1, (int)dims.Aggregate(1L, (size, dim) => size * dim)).Select(i => (float)i)]), "stored");
}
