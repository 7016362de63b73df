using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Ir;

public sealed class TapeConstantsTests
{
    [Test]
    public void A_constant_that_was_removed_as_unused_is_made_anew()
    {
        var graph = new Graph("test");
        var tape = new Tape(graph);
        var x = tape[graph.AddInput("x", ElementType.Float, [2, 3])];
        graph.AddOutput(x.Exp().Value);
        _ = x * 3;
        graph.RemoveUnused();

        var constant = (x * 3).Value.Producer!.Input(1)!;

        Assert.That(graph.Find(constant.Name), Is.SameAs(constant));
    }
}
