using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Tests.Weights;

internal sealed class ViewOpsTests
{
    [TestCase("Transpose", true, true)]
    [TestCase("Flatten", true, true)]
    [TestCase("CastLike", false, true)]
    [TestCase("Identity", false, true)]
    [TestCase("DequantizeLinear", false, false)]
    [TestCase("Mul", false, false)]
    [TestCase("Gather", false, false)]
    public void A_view_moves_elements_or_keeps_numbers(string op, bool moves, bool keepsNumbers)
    {
        var node = new Node(op, string.Empty, [], []);

        Assert.That((ViewOps.Moves(node), ViewOps.KeepsNumbers(node)), Is.EqualTo((moves, keepsNumbers)));
    }

    [Test]
    public void Operators_of_one_effect_are_listed() =>
        Assert.That(ViewOps.OpsWith(ViewEffect.Shape), Is.EqualTo(new[] { "Flatten", "Reshape", "Squeeze", "Unsqueeze" }));
}
