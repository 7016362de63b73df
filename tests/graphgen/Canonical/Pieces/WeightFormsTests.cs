using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Pieces;

/// <summary>Products whose stored weight cannot take in what the file does around it: the canonical graph computes what the deployed one does. x [3, 8], W [8, 8].</summary>
public sealed class WeightFormsTests
{
    private static readonly sbyte[] Codes = [.. Enumerable.Range(0, 64).Select(i => (sbyte)((i * 37 % 200) - 100))];

    private static IEnumerable<TestCaseData> Weights()
    {
        yield return Case("a zero point of each row and a scale of each column", (tape, x) =>
            x.MatMul((Widened(tape) - tape.Constant(OnnxTensor.Of<float>([8, 1], [1, 2, 3, 4, 5, 6, 7, 8]))) * Numbers(tape, 8)));
        yield return Case("a zero point that is no code", (tape, x) =>
            x.MatMul((Widened(tape) - tape.Constant(OnnxTensor.Scalar(300f))) * tape.Constant(OnnxTensor.Scalar(0.01f))));
        yield return Case("a scale of each output behind blocks of outputs", (tape, x) =>
        {
            var scales = tape.Constant(OnnxTensor.Of<float>([8, 4], [.. Enumerable.Range(1, 32).Select(i => i / 100f)]));
            var weight = tape.Op("DequantizeLinear", [tape.Constant(OnnxTensor.Of<sbyte>([8, 8], Codes)), scales], ("axis", 1), ("block_size", 2));
            return (x.MatMul(weight) * Numbers(tape, 8)) + Numbers(tape, 8);
        });
    }

    [TestCaseSource(nameof(Weights))]
    public void Canonical_graph_computes_the_same(Func<Tape, Expr, Expr> write)
    {
        var (model, _) = Ort.New();
        var tape = new Tape(model.Graph, onnxOnly: true);
        model.Graph.AddOutput(write(tape, tape[model.Graph.AddInput("x", ElementType.Float, [3, 8])]).Value);
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Normal("x", 3, 8) };

        var canonical = CanonicalModel.Of(model).Model;

        Assert.That(Run(canonical), Is.EqualTo(Run(model)).Within(1e-4));

        float[] Run(OnnxModel graph) => Ort.Run(graph, inputs).Single().Value.ToFloats();
    }

    private static TestCaseData Case(string name, Func<Tape, Expr, Expr> write) => new TestCaseData(write).SetArgDisplayNames(name);

    private static Expr Widened(Tape tape) => tape.Constant(OnnxTensor.Of<sbyte>([8, 8], Codes)).Cast(ElementType.Float);

    private static Expr Numbers(Tape tape, int count) => tape.Constant(OnnxTensor.Vector<float>([.. Enumerable.Range(1, count).Select(i => i / 20f)]));
}
