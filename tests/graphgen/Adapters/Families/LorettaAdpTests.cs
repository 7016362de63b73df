using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Testing;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Families;

internal sealed class LorettaAdpTests
{
    private const int Rows = 3;

    // With a bottleneck of 1 each matrix is one core.
    [TestCase("relu")]
    [TestCase("tanh")]
    public void A_bottleneck_is_added_to_the_output(string activation)
    {
        var plan = AdapterPlan.Of(new Architecture(Hidden: 8, Heads: 2, KvHeads: 2, HeadWidth: 4, Layers: 1, Ffn: 6), new AdapterOptions
        {
            Method = "loretta_adp",
            Options = new Dictionary<string, string> { ["bottleneck"] = "1", ["activation"] = activation },
        });
        var given = new FamilyCase(activation, plan);
        var (model, tape) = Ort.New();
        var set = AdapterInjection.AddInputs(tape, plan, given.Factors);
        var layer = SampleLayers.Layer(tape, plan.Sites.All[0], tape.Constant(RandomTensor.Normal("x", Rows, 8)));
        var adapted = plan.Family.Emit(layer, set);
        model.Graph.AddOutput(layer.Y.Value);
        model.Graph.AddOutput(adapted.Value);

        var outputs = ((IGraphEvaluator)FamilyCase.Evaluator).Run(model, new Dictionary<string, OnnxTensor>());

        var (down, up, shift, bias) = (Factor("down.0"), Factor("up.0"), Factor("down.bias")[0], Factor("up.bias"));
        var expected = outputs[layer.Y.Value.Name].ToFloats().Chunk(8).SelectMany(h =>
        {
            var inner = h.Zip(down, (a, b) => (double)a * b).Sum() + shift;
            var active = activation == "tanh" ? Math.Tanh(inner) : Math.Max(0, inner);
            return h.Select((value, i) => value + (active * up[i]) + bias[i]);
        });
        Assert.That(outputs[adapted.Value.Name].ToFloats(), Is.EqualTo(expected).Within(1e-5));

        float[] Factor(string name) => given.Factors[$"layers.0.attention.{name}"].ToFloats();
    }
}
