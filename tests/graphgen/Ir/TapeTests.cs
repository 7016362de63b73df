using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Ir;

public sealed class TapeTests
{
    [Test]
    public void Equal_nodes_are_written_once()
    {
        var (graph, tape, x) = New();

        var (a, b) = (x + 1, x + 1);

        Assert.That(a.Value, Is.SameAs(b.Value));
        Assert.That(graph.Nodes.Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_renamed_value_is_not_taken_for_another()
    {
        var (graph, _, x) = New();
        var y = x.Exp();
        var first = y.Sqrt();
        graph.Rename(y.Value, "old");
        var z = (x * 2).Value;
        graph.Rename(z, "Exp");

        var second = first.Tape[z].Sqrt();

        Assert.That(second.Value, Is.Not.SameAs(first.Value));
    }

    [Test]
    public void A_constant_that_was_pruned_is_made_anew()
    {
        var (graph, _, x) = New();
        graph.AddOutput(x.Exp().Value);
        _ = x * 3;
        graph.RemoveUnused();

        var y = x * 3;

        Assert.That(graph.Find(y.Value.Producer!.Input(1)!.Name), Is.SameAs(y.Value.Producer!.Input(1)));
    }

    private static (Graph Graph, Tape Tape, Expr X) New()
    {
        var graph = new Graph("test");
        var tape = new Tape(graph);
        return (graph, tape, tape[graph.AddInput("x", ElementType.Float, [2, 3])]);
    }
}
