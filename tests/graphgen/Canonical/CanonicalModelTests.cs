using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical;

public sealed class CanonicalModelTests
{
    private const double Tolerance = 1e-5;

    private static IEnumerable<string> Float32 => Exports.Float32;

    [TestCaseSource(nameof(Float32))]
    public void Canonical_graph_computes_what_the_deployed_one_does(string export)
    {
        var deployed = OnnxModel.Load(Exports.Path(export));
        var batch = Exports.Batch(export, deployed);
        var before = ModelWriter.ToBytes(deployed);

        var canonical = CanonicalModel.Of(deployed);
        var (expected, actual) = (Ort.Run(deployed, batch), Ort.Run(canonical.Model, batch));

        Assert.That(canonical.Model.Opset, Is.EqualTo(21));
        Assert.That(ModelWriter.ToBytes(deployed), Is.EqualTo(before), "the deployed model is never changed");
        foreach (var (name, tensor) in expected) Assert.That(Difference(tensor, actual[name]), Is.LessThanOrEqualTo(Tolerance), name);
    }

    [TestCaseSource(nameof(Float32))]
    public void Norms_and_gelus_are_whole_and_nothing_passes_through(string export)
    {
        var model = CanonicalModel.Of(OnnxModel.Load(Exports.Path(export))).Model;

        var left = model.Graph.Nodes.Select(node => node.Op).Intersect(["Constant", "Identity", "Dropout", "Erf", "Pow", "ReduceMean", "Reciprocal"]);

        Assert.That(left, Is.Empty);
    }

    [TestCaseSource(nameof(Float32))]
    public void Every_matrix_has_an_origin_with_its_numbers(string export)
    {
        var canonical = CanonicalModel.Of(OnnxModel.Load(Exports.Path(export)));

        foreach (var value in canonical.Model.Graph.Initializers.Where(value => value.Constant is { Rank: 2, Type: ElementType.Float }))
        {
            var origin = canonical.OriginOf(value);
            Assert.That(origin, Is.Not.Null, value.Name);
            var stored = canonical.Deployed.Graph.Find(origin!.Initializer)!;
            if (stored.Constant is { } tensor) Assert.That(value.Constant!.ToFloats(), Is.EqualTo(origin.IsTransposed ? Transposed(tensor) : tensor.ToFloats()), value.Name);
        }
    }

    private static float[] Transposed(OnnxTensor tensor)
    {
        var (stored, rows, columns) = (tensor.ToFloats(), (int)tensor.Dims[0], (int)tensor.Dims[1]);
        return [.. from column in Enumerable.Range(0, columns) from row in Enumerable.Range(0, rows) select stored[(row * columns) + column]];
    }

    private static double Difference(OnnxTensor expected, OnnxTensor actual)
    {
        Assert.That(actual.Dims, Is.EqualTo(expected.Dims));
        if (expected.Count == 0) return 0;
        var (a, b) = (expected.ToFloats(), actual.ToFloats());
        return a.Zip(b, (x, y) => Math.Abs((double)x - y)).Max() / a.Max(Math.Abs);
    }
}
