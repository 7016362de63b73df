using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical;

/// <summary>A graph y = f(x), x [2, 3, 4], and its training copy.</summary>
internal static class Rewritten
{
    public static (OnnxModel Deployed, CanonicalModel Canonical) Of(Func<Expr, Expr> function)
    {
        var (model, _) = Ort.New();
        model.Graph.AddOutput(function(Input(new Tape(model.Graph, onnxOnly: true))).Value);
        return (model, CanonicalModel.Of(model));
    }

    public static Expr Input(Tape tape) => tape[tape.Graph.AddInput("x", ElementType.Float, [2, 3, 4])];

    public static void AssertSameResults(OnnxModel deployed, OnnxModel canonical)
    {
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Between(0, 2, "x", 2, 3, 4) };
        Assert.That(Ort.Run(canonical, inputs).Single().Value.ToFloats(), Is.EqualTo(Ort.Run(deployed, inputs).Single().Value.ToFloats()).Within(1e-5));
    }
}
