using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Tests.Attention;
using LoRTA.Onnx.Testing;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

/// <summary>Where branches leave a deployed graph and join it again.</summary>
internal sealed class BranchPointsTests
{
    private static readonly Dictionary<string, OnnxTensor> Inputs = new() { ["x"] = RandomTensor.Normal("x", 2, 5, Toy.Hidden) };

    [Test]
    public void A_branch_reads_the_input_of_its_product_and_joins_behind_the_bias()
    {
        var (_, points) = Prepared(Separate(), "q");

        Assert.That(points[0].Input.Name, Is.EqualTo("x"));
        Assert.That(points[0].Output.Producer!.Inputs.Select(input => input!.Name), Does.Contain("q.bias"));
    }

    [Test]
    public void A_bias_added_to_moved_features_leaves_the_branch_at_the_product()
    {
        var deployed = WithBiasColumn();

        var (_, points) = Prepared(deployed, "q");

        Assert.That(UnderstoodModel.Of(deployed).Map.Layers[0]["q"]!.Stored.Bias, Is.EqualTo("q.bias"));
        Assert.That(points[0].Output.Producer!.Op, Is.EqualTo("MatMul"));
    }

    [Test]
    public void Points_alone_change_nothing()
    {
        foreach (var deployed in new[] { Separate(), Packed() })
        {
            var (model, _) = Prepared(deployed, "q", "v");

            Assert.That(Run(model), Is.EqualTo(Run(deployed)));
        }
    }

    [Test]
    public void Of_a_packed_product_each_projection_has_its_features_alone()
    {
        var deployed = Packed();
        var (model, points) = Prepared(deployed, "q", "v");
        foreach (var point in points) model.Graph.AddOutput(point.Output);
        var packed = deployed.Clone();
        var product = packed.Graph.Find("query_key_value.bias")!.Uses[0].Node.Output;
        packed.Graph.AddOutput(product);

        var whole = Ort.Run(packed, Inputs)[product.Name].ToFloats().Chunk(24).ToList();
        var found = Ort.Run(model, Inputs);

        Assert.That(found[points[0].Output.Name].ToFloats(), Is.EqualTo(whole.SelectMany(row => row[..4].Concat(row[12..16]))));
        Assert.That(found[points[1].Output.Name].ToFloats(), Is.EqualTo(whole.SelectMany(row => row[8..12].Concat(row[20..24]))));
    }

    [Test]
    public void What_a_branch_adds_reaches_attention()
    {
        foreach (var deployed in new[] { Separate(), Packed() })
        {
            var (model, points) = Prepared(deployed, "v");
            var (output, readers) = (points[0].Output, points[0].Output.Uses.ToHashSet());

            model.Graph.Splice(output, readers, (new Tape(model.Graph, onnxOnly: true)[output] + 1).Value);
            model.Graph.Sort();

            Assert.That(Run(model), Is.Not.EqualTo(Run(deployed)).Within(1e-3));
        }
    }

    // Plain products, 4 bits, rounded activations, products of integers, biases inside of fused operators, float16.
    [TestCase("llama-mini/ts-sdpa.onnx")]
    [TestCase("llama-mini/genai-int4.onnx")]
    [TestCase("llama-mini/int8-qdq.onnx")]
    [TestCase("roberta-mini/seqcls.int8-dynamic.onnx")]
    [TestCase("roberta-mini/seqcls.ort-fused.onnx")]
    [TestCase("roberta-mini/seqcls.dynamo18.onnx")]
    public void Rows_times_W_are_not_rounded_whatever_the_operator(string file)
    {
        var deployed = OnnxModel.Load(Fixtures.Path("models", file));
        var linears = UnderstoodModel.Of(deployed).Map.Layers[0].Sites.ToList();
        var model = deployed.Clone();
        ShapeInference.Infer(model.Graph);
        var tape = new Tape(model.Graph, onnxOnly: true);
        var points = new BranchPoints(model, deployed, tape, pullBiases: true).Of(linears);
        model.Graph.ClearOutputs();

        var found = linears.Zip(points).Select(pair => (Linear: pair.First, Rows: RandomTensor.Normal(pair.First.Matrix, 3, pair.First.In), Port: pair.Second))
            .Select(item => (item.Linear, item.Rows, Result: item.Port.Apply(tape.Constant(item.Rows)))).ToList();

        foreach (var (_, _, result) in found) model.Graph.AddOutput(result.Value);
        model.Graph.Sort();
        model.Graph.RemoveUnused();
        model.Graph.RemoveUnusedInputs();
        var outputs = Ort.Run(model, new Dictionary<string, OnnxTensor>());
        foreach (var (linear, rows, result) in found)
            Assert.That(outputs[result.Value.Name].ToFloats(), Is.EqualTo(SampleLayers.Product(rows, LinearPort.NumbersOf(deployed, linear))).Within(2e-4), linear.Address);
    }

    private static (OnnxModel Model, IReadOnlyList<LinearPort> Points) Prepared(OnnxModel deployed, params string[] matrices)
    {
        var layer = UnderstoodModel.Of(deployed).Map.Layers.Single();
        var model = deployed.Clone();
        ShapeInference.Infer(model.Graph);
        var points = new BranchPoints(model, deployed, new Tape(model.Graph, onnxOnly: true), pullBiases: false).Of([.. matrices.Select(matrix => layer[matrix]!)]);
        model.Graph.Sort();
        return (model, points);
    }

    private static OnnxModel Separate()
    {
        var toy = new Toy();
        Expr Heads(string name) => Toy.Heads(toy.Linear(toy.X, name, 8), 2);
        return toy.With(toy.Linear(Toy.Attend(Heads("q"), Heads("k"), Heads("v")), "out", 8));
    }

    // The bias of q is added to [batch, features, sequence].
    private static OnnxModel WithBiasColumn()
    {
        var toy = new Toy();
        var q = (toy.Linear(toy.X, "q", 8, bias: false).T + toy.Weight("q.bias", 8, 1)).T;
        Expr Heads(string name) => Toy.Heads(toy.Linear(toy.X, name, 8), 2);
        return toy.With(toy.Linear(Toy.Attend(Toy.Heads(q, 2), Heads("k"), Heads("v")), "out", 8));
    }

    // Heads of queries, keys and values interleave in one product (BLOOM).
    private static OnnxModel Packed()
    {
        var toy = new Toy();
        var product = toy.Linear(toy.X, "query_key_value", 24);
        var heads = product.Reshape(0, 0, 2, 3, 4);
        Expr Part(long index) => toy.Op("Gather", [heads, toy.Tape.Constant(OnnxTensor.Scalar(index))], ("axis", 3)).MoveAxes(0, 2, 1, 3);
        return toy.With(toy.Linear(Toy.Attend(Part(0), Part(1), Part(2)), "dense", 8));
    }

    private static float[] Run(OnnxModel model) => Ort.Run(model, Inputs).Single().Value.ToFloats();
}
