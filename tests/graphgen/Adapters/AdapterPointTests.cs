using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Testing;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters;

/// <summary>What a family can ask of a linear layer, in graphs that store it in different ways.</summary>
internal sealed class AdapterPointTests
{
    private const int Rows = 3;

    // Plain products and Gemm, one product for q k v, 4 bits in MatMulNBits, int8 behind DequantizeLinear, fused operators.
    [TestCase("llama-mini/ts-sdpa.onnx")]
    [TestCase("llama-mini/genai-qkv.onnx")]
    [TestCase("llama-mini/genai-int4.onnx")]
    [TestCase("llama-mini/int8-qdq.onnx")]
    [TestCase("roberta-mini/seqcls.ts-eager.onnx")]
    [TestCase("roberta-mini/seqcls.dynamo18.onnx")]
    [TestCase("roberta-mini/seqcls.ort-fused.onnx")]
    [TestCase("roberta-mini/seqcls.mha-fused.onnx")]
    [TestCase("roberta-mini/seqcls.int8-dynamic.onnx")]
    public void Rows_times_W_and_the_layer_on_another_input_agree_with_the_stored_numbers(string file)
    {
        var model = UnderstoodModel.Of(OnnxModel.Load(Fixtures.Path("models", file)));
        var map = model.Map;
        foreach (var linear in map.Layers[0].Sites)
        {
            var (graph, tape) = (model.Canonical.Model.Graph, new Tape(model.Canonical.Model.Graph));
            var port = LinearPort.Of(model.Deployed, linear, linear.Output);
            var point = new AdapterPoint(tape, SiteOf(linear), port);
            var rows = RandomTensor.Normal("rows", Rows, linear.In);

            var results = Run(model.Canonical, [point.Apply(tape.Constant(rows)), point.Replace(tape.Constant(rows)), point.Bias ?? tape.Constant(Zeros(linear.Out))]);

            var expected = SampleLayers.Product(rows, LinearPort.NumbersOf(model.Deployed, linear));
            var bias = results[2].ToFloats();
            Assert.That(results[0].ToFloats(), Is.EqualTo(expected).Within(2e-4), linear.Address);
            Assert.That(results[1].ToFloats(), Is.EqualTo(expected.Select((value, i) => value + bias[i % linear.Out])).Within(2e-4), linear.Address);
            Assert.That(linear.Bias is null, Is.EqualTo(point.Bias is null));
        }
    }

    [Test]
    public void Column_norms_are_those_of_each_output()
    {
        var norms = LinearPort.ColumnNorms(OnnxTensor.Of<float>([2, 3], [3, 0, 1, 4, 2, 0]));

        Assert.That(norms.ToFloats(), Is.EqualTo(new float[] { 5, 2, 1 }));
    }

    [Test]
    public void Masks_are_shared_by_layers_with_one_input_and_own_values_have_their_own()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [Rows, 4])];
        var dropout = new DropoutInputs();
        var points = new[] { "q", "k" }.Select(matrix => new AdapterPoint(tape, Site(matrix), Port(tape, x), dropout)).ToList();

        var shared = points.ConvertAll(point => point.X.Value);
        points[1].Dropout(points[1].X);
        points[1].Dropout(points[1].X);

        Assert.That(shared[0], Is.SameAs(shared[1]).And.Not.SameAs(x.Value));
        Assert.That(model.Graph.Inputs.Select(input => input.Name), Is.EqualTo(new[] { "x", "dropout.layers.0.q", "dropout.layers.0.k.0", "dropout.layers.0.k.1" }));
    }

    [Test]
    public void Without_dropout_values_stay_as_they_are()
    {
        var (model, tape) = Ort.New();
        var x = tape[model.Graph.AddInput("x", ElementType.Float, [Rows, 4])];

        var point = new AdapterPoint(tape, Site("q"), Port(tape, x));

        Assert.That((point.X.Value, point.Dropout(point.Y).Value), Is.EqualTo((x.Value, point.Y.Value)));
    }

    private static LinearPort Port(Tape tape, Expr x)
    {
        var y = x.MatMul(tape.Constant(RandomTensor.Normal("w", 4, 4)));
        return new(x.Value, y.Value, y.Value);
    }

    private static AdapterSite Site(string matrix) => new(0, matrix) { In = 4, Out = 4, Heads = 2 };

    private static AdapterSite SiteOf(Projection linear) => new(linear.Layer, linear.Matrix) { In = linear.In, Out = linear.Out, Heads = linear.Heads };

    private static OnnxTensor Zeros(int count) => OnnxTensor.Of<float>([count], new float[count]);

    private static List<OnnxTensor> Run(CanonicalModel canonical, IReadOnlyList<Expr> results)
    {
        var copy = canonical.Model.Clone();
        copy.Graph.ClearOutputs();
        foreach (var result in results) copy.Graph.AddOutput(copy.Graph.Find(result.Value.Name)!);
        copy.Graph.RemoveUnused();
        copy.Graph.RemoveUnusedInputs();
        copy.Graph.Sort();
        var outputs = Ort.Run(copy, new Dictionary<string, OnnxTensor>());
        return [.. results.Select(result => outputs[result.Value.Name])];
    }
}
