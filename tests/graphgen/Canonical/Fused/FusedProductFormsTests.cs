using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Tests.Autodiff;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Fused;

internal sealed class FusedProductFormsTests
{
    private static IEnumerable<TestCaseData> Spellings() =>
        from batchA in new[] { false, true }
        from batchB in new[] { false, true }
        from transA in new[] { false, true }
        from transB in new[] { false, true }
        from rank in new[] { 3, 4 }
        where batchA || batchB
        select new TestCaseData(batchA, batchB, transA, transB, rank);

    [TestCaseSource(nameof(Spellings))]
    public void Product_with_transposed_batch_axes_means_the_same_and_has_its_gradient(bool batchA, bool batchB, bool transA, bool transB, int rank)
    {
        var (model, feeds) = Prepared(batchA, batchB, transA, transB, rank);

        var canonical = CanonicalModel.Of(model).Model;

        Assert.That(canonical.Graph.Nodes.Any(node => node.Attributes.ContainsKey("transBatchA") || node.Attributes.ContainsKey("transBatchB")), Is.False);
        Assert.That(Ort.Run(canonical, feeds)["y"].ToFloats(), Is.EqualTo(Ort.Run(model, feeds)["y"].ToFloats()).Within(1e-5));
        GradientCheck.Run(canonical, feeds, ["a", "b"]);
    }

    // a [2, .., 3, 5] · b [2, .., 5, 4] before any axes are moved
    private static (OnnxModel Model, Dictionary<string, OnnxTensor> Feeds) Prepared(bool batchA, bool batchB, bool transA, bool transB, int rank)
    {
        var (model, _) = Ort.New();
        long[] lead = rank == 3 ? [2] : [2, 3];
        var feeds = new Dictionary<string, OnnxTensor>();
        var node = new Node("FusedMatMul", "com.microsoft", [Input("a", 3, 5, transA, batchA), Input("b", 5, 4, transB, batchB)], [model.Graph.AddValue("y")]) { Name = "/product" };
        foreach (var (name, isOn) in new[] { ("transBatchA", batchA), ("transBatchB", batchB), ("transA", transA), ("transB", transB) }) node.Attributes[name] = isOn ? 1L : 0L;
        node.Attributes["alpha"] = 0.5f;
        model.Graph.Add(node);
        ShapeInference.Infer(node);
        model.Graph.AddOutput(node.Output);
        return (model, feeds);

        Value Input(string name, long rows, long columns, bool isTransposed, bool isBatchMoved)
        {
            var (m, k) = isTransposed ? (columns, rows) : (rows, columns);
            long[] dims = isBatchMoved ? [m, .. lead, k] : [.. lead, m, k];
            feeds[name] = RandomTensor.Normal(name, dims);
            return model.Graph.AddInput(name, ElementType.Float, [.. dims.Select(size => new Dim(size))]);
        }
    }
}
