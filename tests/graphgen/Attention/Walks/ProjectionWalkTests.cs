using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Attention.Walks;

/// <summary>The ways between attention and its projections, step by step.</summary>
internal sealed class ProjectionWalkTests
{
    // What is done to heads [batch, 2, sequence, 4] behind their projection.
    private static IEnumerable<TestCaseData> Steps()
    {
        yield return Step("norm of each head", (toy, heads) => toy.Op("LayerNormalization", [heads, toy.Weight("gamma", 4), toy.Weight("beta", 4)], ("axis", -1)));
        yield return Step("key/value cache", (toy, heads) => Expr.Concat(2, Past(toy), heads));
        yield return Step("repeat heads", (toy, heads) => toy.Op("Expand", [heads, toy.Tape.Longs(1, 2, 1, 4)]));
        yield return Step("add or drop an axis", (_, heads) => heads.Unsqueeze(2));
        yield return Step("split or merge heads", (_, heads) => heads.Reshape(-1, 4));
        yield return Step("move axes", (_, heads) => heads.T);
        yield return Step("scale", (_, heads) => heads * 0.5);
        yield return Step("limits", (toy, heads) => toy.Op("Clip", [heads, toy.Tape.Constant(OnnxTensor.Scalar(-1f)), toy.Tape.Constant(OnnxTensor.Scalar(1f))]));
        yield return Step("bias of each head", (toy, heads) => heads + toy.Weight("bias", 4));
        yield return Step("change of type", (_, heads) => heads.Cast(ElementType.Float16));
        yield return Step("one of several", (_, heads) => heads.Slice(1, 0, 1));
    }

    [TestCaseSource(nameof(Steps))]
    public void A_step_backwards_leads_on_to_the_projection(string name, Func<Toy, Expr, Expr> step)
    {
        var toy = new Toy();

        var walk = ProjectionWalk.Back(step(toy, Heads(toy)).Value);

        Assert.That(walk.Steps.Select(taken => taken.Name), Is.EqualTo(new[] { name, "move axes", "split or merge heads" }));
        Assert.That(walk.Linear?.Weight.Name, Is.EqualTo("q.weight"));
    }

    [Test]
    public void A_walk_lists_its_values_from_attention_to_the_projection()
    {
        var toy = new Toy();
        var heads = Heads(toy);

        var walk = ProjectionWalk.Back(heads.Value);

        Assert.That(walk.Values, Has.Count.EqualTo(walk.Steps.Count + 1));
        Assert.That((walk.Values[0], walk.Values[^1]), Is.EqualTo((heads.Value, walk.Linear!.Output)));
    }

    [Test]
    public void An_operator_that_no_step_knows_ends_the_walk_there()
    {
        var toy = new Toy();
        var odd = Heads(toy).Apply("Sin");

        var walk = ProjectionWalk.Back((odd * 2).Value);

        Assert.That(walk.Linear, Is.Null);
        Assert.That(walk.Values[^1], Is.EqualTo(odd.Value));
    }

    [Test]
    public void The_step_that_came_closest_is_told()
    {
        var toy = new Toy();

        var walk = ProjectionWalk.Back(toy.Op("Tile", [toy.Linear(toy.X, "q", 8), toy.Tape.Longs(1, 1, 2)]).Value);   // of features, not of heads

        Assert.That(walk.Linear, Is.Null);
        Assert.That(walk.Closest?.Form, Is.EqualTo("repeat heads"));
    }

    [Test]
    public void Forwards_heads_are_merged_and_gated_in_front_of_the_output_projection()
    {
        var toy = new Toy();
        var context = Heads(toy);
        toy.With(toy.Linear(Toy.Merge(context) * toy.Input("gate"), "out", 8));

        var walk = ProjectionWalk.Forward(context.Value);

        Assert.That(walk.Steps.Select(step => step.Name), Is.EqualTo(new[] { "move axes", "merge heads", "gate" }));
        Assert.That(walk.Linear?.Weight.Name, Is.EqualTo("out.weight"));
    }

    [Test]
    public void Where_others_read_the_result_as_well_there_is_no_way_forwards()
    {
        var toy = new Toy();
        var context = Heads(toy);
        var merged = Toy.Merge(context);
        toy.With(toy.Linear(merged, "out", 8));
        merged.Apply("Sin");

        var walk = ProjectionWalk.Forward(context.Value);

        Assert.That((walk.Linear, walk.Values[^1]), Is.EqualTo(((LinearLayer?)null, merged.Value)));
    }

    [Test]
    public void A_branch_beside_the_output_projection_is_no_other_reader()
    {
        var toy = new Toy();
        var context = Heads(toy);
        var merged = Toy.Merge(context);
        toy.With(toy.Linear(merged, "out", 8) + merged.Apply("Sin"));

        Assert.That(ProjectionWalk.Forward(context.Value).Linear?.Weight.Name, Is.EqualTo("out.weight"));
    }

    [Test]
    public void Who_reads_only_the_shape_does_not_count_as_a_reader()
    {
        var toy = new Toy();
        var sine = toy.X.Apply("Sin");
        toy.Op("Shape", [toy.X]);

        Assert.That(ProjectionWalk.ReadersOf(toy.X.Value), Is.EqualTo(new[] { sine.Value.Producer }));
    }

    private static TestCaseData Step(string name, Func<Toy, Expr, Expr> step) => new TestCaseData(name, step).SetArgDisplayNames(name);

    private static Expr Heads(Toy toy) => Toy.Heads(toy.Linear(toy.X, "q", 8), 2);

    private static Expr Past(Toy toy) => toy.Tape[toy.Tape.Graph.AddInput("past", ElementType.Float, [Dim.Symbol("batch"), 2, Dim.Symbol("past"), 4])];
}
