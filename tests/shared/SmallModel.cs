using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>One product with a weight of a kilobyte, for tests of files.</summary>
internal static class SmallModel
{
    /// <summary>The model, saved and opened again.</summary>
    /// <param name="path">Where.</param>
    /// <param name="isExternal">Whether the weight goes to a data file beside it.</param>
    public static OnnxModel Saved(string path, bool isExternal)
    {
        var graph = new Graph("small");
        var tape = new Tape(graph, onnxOnly: true);
        var x = tape[graph.AddInput("x", ElementType.Float, [Dim.Symbol("batch"), 16])];
        var product = x.MatMul(tape.Constant(OnnxTensor.Of<float>([16, 16], new float[256]), "w"));
        graph.AddOutput(product.Value);
        graph.Find("w")!.IsExternal = isExternal;
        var model = new OnnxModel(graph);
        model.OpsetVersions[string.Empty] = 18;
        model.Save(path);
        return OnnxModel.Load(path);
    }
}
