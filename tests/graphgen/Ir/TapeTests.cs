namespace LoRTA.Onnx.GraphGen.Tests.Ir;

internal sealed class TapeTests
{
    [Test]
    public void Equal_nodes_are_shared()
    {
        var (_, tape) = Ort.New();
        var x = tape[tape.Graph.AddInput("x", ElementType.Float, [2])];

        var (first, second) = (x.Exp(), x.Exp());

        Assert.That(second.Value, Is.SameAs(first.Value));
    }

    [Test]
    public void Value_that_takes_over_a_name_is_not_taken_for_the_other()
    {
        var (_, tape) = Ort.New();
        var x = tape[tape.Graph.AddInput("x", ElementType.Float, [2])];
        var first = x.Exp();
        var ofFirst = first.Sqrt();
        tape.Graph.Rename(first.Value, "renamed");

        var second = (x + x).Exp();

        Assert.That(second.Value.Name, Is.EqualTo("Exp"));
        Assert.That(second.Sqrt().Value, Is.Not.SameAs(ofFirst.Value));
    }

    [Test]
    public void Node_whose_value_takes_over_a_name_does_not_get_that_of_another_node()
    {
        var (_, tape) = Ort.New();
        var x = tape[tape.Graph.AddInput("x", ElementType.Float, [2])];
        tape.Graph.Rename(x.Exp().Value, "renamed");

        x.Sqrt().Exp();

        Assert.That(tape.Graph.Nodes.Select(node => node.Name), Is.EqualTo(new[] { "Exp", "Sqrt", "Exp_1" }));
    }

    [Test]
    public void Name_of_a_node_that_was_removed_or_renamed_is_free()
    {
        var (_, tape) = Ort.New();
        var x = tape[tape.Graph.AddInput("x", ElementType.Float, [2])];
        tape.Graph.Remove(x.Exp().Value.Producer!);
        var renamed = x.Sqrt().Value;
        renamed.Producer!.Name = "renamed";
        tape.Graph.Rename(renamed, "renamed");

        (x + x).Exp().Sqrt();

        Assert.That(tape.Graph.Nodes.Select(node => node.Name), Is.EqualTo(new[] { "renamed", "Add", "Exp", "Sqrt" }));
    }

    [Test]
    public void Node_whose_input_was_replaced_is_not_shared_any_more()
    {
        var (_, tape) = Ort.New();
        var x = tape[tape.Graph.AddInput("x", ElementType.Float, [2])];
        var y = x.Exp();
        tape.Graph.ReplaceUses(x.Value, (x + x).Value, use => use.Node == y.Value.Producer);

        Assert.That(x.Exp().Value, Is.Not.SameAs(y.Value));
    }

    [Test]
    public void Transpose_of_a_transpose_is_the_value_itself()
    {
        var (_, tape) = Ort.New();
        var x = tape[tape.Graph.AddInput("x", ElementType.Float, [2, 3, 4])];

        Assert.That(x.T.T.Value, Is.SameAs(x.Value));
    }
}
