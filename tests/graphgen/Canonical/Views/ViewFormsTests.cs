using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Views;

/// <summary>Nodes that only show a tensor in another way, each in a graph y = f(x), x [2, 3, 4].</summary>
public sealed class ViewFormsTests
{
    [Test]
    public void Dropout_goes_with_a_finding()
    {
        var (deployed, canonical) = Rewritten.Of(x => x.Tape.Op("Dropout", [x + 1]));

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { "Add" }));
        Assert.That(canonical.Findings.Single().Node, Is.EqualTo("Dropout"));
        Assert.That(canonical.Model.Graph.Outputs[0].Name, Is.EqualTo(deployed.Graph.Outputs[0].Name));
    }

    [Test]
    public void Views_of_one_stored_weight_stay_one_tensor_and_know_their_origin()
    {
        var (deployed, canonical) = Rewritten.Of(x =>
        {
            var stored = x.Tape.Constant(OnnxTensor.Of<Half>([4, 4], [.. Enumerable.Range(0, 16).Select(i => (Half)i)]), "stored");
            return x.MatMul(View(stored)) + x.MatMul(View(x.Tape.Op("Identity", [stored])));

            static Expr View(Expr weight) => weight.Cast(ElementType.Float).T;
        });

        var weight = canonical.Model.Graph.Initializers.Single();
        Assert.That(weight.Type, Is.EqualTo(ElementType.Float));
        Assert.That(canonical.OriginOf(weight)!.Initializer, Is.EqualTo("stored"));
        Assert.That(canonical.OriginOf(weight)!.IsTransposed, Is.True);
        Assert.That(canonical.OriginOf(weight)!.Through, Is.EqualTo(new[] { "Cast", "Transpose" }));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void An_output_that_is_an_input_keeps_a_node()
    {
        var (deployed, canonical) = Rewritten.Of(x => x.Apply("Identity"));

        Assert.That(canonical.Model.Graph.Nodes.Count(), Is.EqualTo(1));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }
}
