using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Attention.Walks;

/// <summary>Where single operators take the features of a product.</summary>
internal sealed class FeatureFlowTests
{
    [Test]
    public void Splitting_heads_and_moving_them_keeps_the_features_of_each()
    {
        var y = Product(new Toy(), 4);

        Assert.That(Followed(y, Toy.Heads(y, 2))?.Heads(), Is.EqualTo(new[] { new[] { 0, 1 }, [2, 3] }));
    }

    [Test]
    public void A_fixed_length_that_equals_the_heads_is_not_taken_for_them()
    {
        var y = Fixed(batch: 1, length: 2, width: 4);
        var heads = Toy.Heads(y, 2).Reshape(2, 2, 2);   // heads, rows, width

        Assert.That(Followed(y, heads)?.Heads(), Is.EqualTo(new[] { new[] { 0, 1 }, [2, 3] }));
    }

    [Test]
    public void A_part_of_a_split_has_the_features_from_its_start_on()
    {
        var toy = new Toy();
        var y = Product(toy, 12);

        Assert.That(Followed(y, Toy.Heads(toy.Split(y, 2, 4, 4, 4)[1], 2))?.Heads(), Is.EqualTo(new[] { new[] { 4, 5 }, [6, 7] }));
    }

    [Test]
    public void One_of_several_on_an_axis_drops_the_axis_and_keeps_its_features()   // heads that hold query, key and value
    {
        var toy = new Toy();
        var y = Product(toy, 12);
        var keys = toy.Op("Gather", [y.Reshape(0, 0, 2, 3, 2), toy.Tape.Constant(OnnxTensor.Scalar<long>(1))], ("axis", 3));

        Assert.That(Followed(y, keys)?.Heads(), Is.EqualTo(new[] { new[] { 2, 3 }, [8, 9] }));
    }

    [Test]
    public void Joined_parts_follow_each_other_in_their_new_order()
    {
        var y = Product(new Toy(), 4);
        var swapped = Expr.Concat(2, y.Slice(2, 2, 4), y.Slice(2, 0, 2));

        Assert.That(Followed(y, swapped)?.Features, Is.EqualTo(new[] { 2, 3, 0, 1 }));
    }

    [Test]
    public void Some_of_the_rows_have_all_the_features()
    {
        var y = Fixed(batch: 2, length: 3, width: 4);

        Assert.That(Followed(y, y.Slice(1, 1, 3))?.Features, Is.EqualTo(new[] { 0, 1, 2, 3 }));
    }

    [Test]
    public void Of_some_heads_of_some_rows_nothing_is_known()
    {
        var y = Fixed(batch: 2, length: 3, width: 4);
        var merged = Toy.Heads(y, 2).Reshape(4, 3, 2);   // batch·heads on one axis

        Assert.That(Followed(y, merged), Is.Not.Null);
        Assert.That(Followed(y, merged.Slice(0, 0, 3)), Is.Null);
    }

    [Test]
    public void Features_that_do_not_lie_side_by_side_make_no_head()
    {
        var y = Product(new Toy(), 4);

        Assert.That(Followed(y, y.Reshape(0, 0, 2, 2).MoveAxes(0, 3, 1, 2))?.Heads(), Is.Null);   // 0 2 | 1 3
    }

    [TestCase(0, 1, ExpectedResult = true)]
    [TestCase(0, 2, ExpectedResult = false)]
    public bool Features_that_are_rotated_into_each_other_must_be_of_one_head(int first, int second)
    {
        var y = Product(new Toy(), 4);
        var rotated = Followed(y, Toy.Heads(y, 2))! with { Together = [[first, second]] };

        return rotated.Heads() is not null;
    }

    private static Expr Product(Toy toy, int features) => toy.Linear(toy.X, "y", features);

    private static Expr Fixed(int batch, int length, int width)
    {
        var (model, _) = Ort.New();
        return new Tape(model.Graph, onnxOnly: true)[model.Graph.AddInput("y", ElementType.Float, [batch, length, width])];
    }

    // Along first inputs, as a walk does, and along all inputs of a Concat.
    private static FeatureFlow? Followed(Expr from, Expr to)
    {
        if (to.Value == from.Value) return FeatureFlow.At(from.Value, from.Shape[-1].Value!.Value);
        var node = to.Value.Producer!;
        var before = node.Inputs.Take(node.Op == "Concat" ? node.Inputs.Count : 1).Select(input => Followed(from, from.Tape[input!])).ToList();
        if (before.Contains(null)) return null;
        return node.Op switch
        {
            "Reshape" => FeatureFlow.Reshape(before[0]!, to.Value),
            "Transpose" => FeatureFlow.Transpose(before[0]!, to.Value),
            "Concat" => FeatureFlow.Join([.. before.OfType<FeatureFlow>()], to.Value),
            _ => FeatureFlow.Choose(before[0]!, to.Value),
        };
    }
}
