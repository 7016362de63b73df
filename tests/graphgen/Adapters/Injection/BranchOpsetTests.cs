using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

internal sealed class BranchOpsetTests
{
    [Test]
    public void Axes_become_an_attribute_before_opset_13()
    {
        var (model, tape, x) = New(opset: 12);
        model.Graph.AddOutput(x.Sum(1).Value);

        BranchOpset.Apply(tape, model, new HashSet<Node>());

        var sum = model.Graph.Nodes.Single();
        Assert.That((sum.Op, sum.Inputs.Count, sum.Ints("axes")), Is.EqualTo(("ReduceSum", 1, new long[] { 1 })));
    }

    [Test]
    public void Part_of_a_shape_is_cut_out_of_it_before_opset_15()
    {
        var (model, tape, x) = New(opset: 14);
        model.Graph.AddOutput(tape.Op("Shape", [x], ("start", 1), ("end", 2)).Value);

        BranchOpset.Apply(tape, model, new HashSet<Node>());

        Assert.That(model.Graph.Nodes.Select(node => node.Op), Is.EqualTo(new[] { "Shape", "Slice" }));
        Assert.That(model.Graph.Nodes.First().Attributes, Is.Empty);
    }

    [Test]
    public void Nodes_of_the_file_stay_as_they_are()
    {
        var (model, tape, x) = New(opset: 12);
        model.Graph.AddOutput(x.Sum(1).Value);

        BranchOpset.Apply(tape, model, model.Graph.Nodes.ToHashSet());

        Assert.That(model.Graph.Nodes.Single().Inputs, Has.Count.EqualTo(2));
    }

    [Test]
    public void Operator_that_the_opset_does_not_have_is_refused()
    {
        var (model, tape, x) = New(opset: 8);
        model.Graph.AddOutput(x.Apply("IsNaN").Value);

        var failure = Assert.Throws<LortaException>(() => BranchOpset.Apply(tape, model, new HashSet<Node>()))!;

        Assert.That(failure.Code, Is.EqualTo("LRT332"));
        Assert.That(failure.Message, Does.EndWith("the adapter cannot be added next to a base of opset 8, which has no such IsNaN."));
    }

    private static (OnnxModel Model, Tape Tape, Expr X) New(long opset)
    {
        var (model, tape) = Ort.New();
        model.OpsetVersions[string.Empty] = opset;
        return (model, tape, tape[model.Graph.AddInput("x", ElementType.Float, [2, 3])]);
    }
}
