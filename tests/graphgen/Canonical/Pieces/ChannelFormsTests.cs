using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Pieces;

/// <summary>Products on data whose features lie on another axis than the last, each in a graph y = f(x), x [2, 3, 4].</summary>
public sealed class ChannelFormsTests
{
    private static readonly long[] Squares = [2];

    [TestCase(new long[0])]
    [TestCase(new long[] { 2 })]
    [TestCase(new long[] { -1 })]
    [TestCase(new long[] { 2, 3 })]
    public void A_convolution_of_single_positions_is_one_product(long[] addedAxes)
    {
        var (deployed, canonical) = Rewritten.Of(x => Convolution(x, addedAxes, addedAxes).T + 1);

        Assert.That(string.Join(' ', canonical.Model.Graph.Nodes.Select(node => node.OpType)), Is.EqualTo("MatMul Add").Or.EqualTo("FusedMatMul Add"));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void Axes_that_stay_are_added_behind_the_product()
    {
        var (deployed, canonical) = Rewritten.Of(x => Convolution(x, Squares, []));

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Does.Contain("Unsqueeze").And.Not.Contain("Conv"));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    // xᵀ [2, 4, 3], with further axes of length 1, times a kernel of one position
    private static Expr Convolution(Expr x, long[] added, long[] dropped)
    {
        var kernel = x.Tape.Constant(RandomTensor.Normal("kernel", [5, 4, .. Enumerable.Repeat(1L, 1 + added.Length)]));
        var columns = added.Length == 0 ? x.T : x.T.Unsqueeze(added);
        var result = x.Tape.Op("Conv", [columns, kernel]);
        return dropped.Length == 0 ? result : result.Squeeze(dropped);
    }
}
