using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Pieces;

/// <summary>Sums at places that repeat are the same in every run of the canonical graph.</summary>
internal sealed class ScatterFormsTests
{
    private const int Updates = 4096;

    [Test]
    public void Sums_at_one_place_have_all_their_summands()
    {
        var places = OnnxTensor.Of<long>([Updates, 1], new long[Updates]);

        var sums = Run([3, 2], places, [Updates, 2]);

        Assert.That(sums, Is.EqualTo(new float[] { Updates, Updates, 0, 0, 0, 0 }));
    }

    [Test]
    public void Places_of_several_axes_count_from_either_end()
    {
        var places = OnnxTensor.Of<long>([2, 2, 2], [0L, 1, -1, 0, 2, -2, 0, -1]);

        var sums = Run([3, 2, 2], places, [2, 2, 2]);

        Assert.That(sums, Is.EqualTo(new float[] { 0, 0, 2, 2, 0, 0, 0, 0, 2, 2, 0, 0 }));
    }

    [Test]
    public void Places_of_all_axes_are_single_elements()
    {
        var places = OnnxTensor.Of<long>([3, 2], [1L, 1, 0, 0, 1, 1]);

        Assert.That(Run([2, 2], places, [3]), Is.EqualTo(new float[] { 1, 0, 0, 2 }));
    }

    [Test]
    public void What_only_replaces_stays_as_it_is()
    {
        var model = Scatter([3, 2], OnnxTensor.Of<long>([1, 1], [2L]), [1, 2], "none");

        Assert.That(CanonicalModel.Of(model).Model.Graph.Nodes.Select(node => node.Op), Does.Contain("ScatterND"));
    }

    // Ones are added to zeros.
    private static float[] Run(long[] dims, OnnxTensor places, long[] updates)
    {
        var canonical = CanonicalModel.Of(Scatter(dims, places, updates, "add")).Model;
        Assert.That(canonical.Graph.Nodes.Select(node => node.Op), Does.Not.Contain("ScatterND"));
        var zeros = OnnxTensor.Of<float>(dims, new float[dims.Aggregate(1L, (count, dim) => count * dim)]);
        return Ort.Run(canonical, new Dictionary<string, OnnxTensor> { ["x"] = zeros }).Single().Value.ToFloats();
    }

    private static OnnxModel Scatter(long[] dims, OnnxTensor places, long[] updates, string reduction)
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [Dim.Symbol("rows"), .. dims.Skip(1).Select(dim => new Dim(dim))])];
        var ones = OnnxTensor.Of<float>(updates, Enumerable.Repeat(1f, (int)updates.Aggregate(1L, (count, dim) => count * dim)).ToArray());
        model.Graph.AddOutput(tape.Op("ScatterND", [x, tape.Constant(places), tape.Constant(ones)], ("reduction", reduction)).Value);
        return model;
    }
}
