using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Opsets;

public sealed class Opset23FormsTests
{
    [TestCase(0, 0f, false)]
    [TestCase(1, 0f, false)]
    [TestCase(0, 2f, false)]
    [TestCase(0, 0f, true)]
    public void Attention_comes_down_to_products(int causal, float softcap, bool masked)
    {
        var (model, tape) = New();
        Expr?[] inputs = [Heads(tape, "q"), Heads(tape, "k"), Heads(tape, "v"), masked ? tape.Constant(OnnxTensor.Of<bool>([1, 1, 3, 3], [true, false, true, true, true, false, false, false, true])) : null];
        model.Graph.AddOutput(tape.Op("Attention", masked ? inputs : inputs[..3], ("is_causal", causal), ("softcap", softcap), ("scale", 0.7f)).Value);

        var canonical = CanonicalModel.Of(model);

        Assert.That(canonical.Cores, Has.Count.EqualTo(1));
        AssertSameResults(model, canonical.Model, "q", "k", "v");
    }

    [TestCase(0)]
    [TestCase(2)]
    public void Rotary_embedding_comes_down_to_products_and_sums(int turning)
    {
        var (model, tape) = New();
        var width = turning == 0 ? 4 : turning;
        var angles = tape.Constant(OnnxTensor.Of<float>([2, 3, width / 2], [.. Enumerable.Range(0, 3 * width).Select(i => i * 0.3f)]));
        model.Graph.AddOutput(tape.Op("RotaryEmbedding", [Heads(tape, "q"), angles.Apply("Cos"), angles.Apply("Sin")], ("rotary_embedding_dim", turning)).Value);

        var canonical = CanonicalModel.Of(model);

        AssertSameResults(model, canonical.Model, "q");
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Rotary_embedding_may_take_positions_and_flat_heads(int interleaved)
    {
        var (model, tape) = New();
        var angles = tape.Constant(OnnxTensor.Of<float>([8, 2], [.. Enumerable.Range(0, 16).Select(i => i * 0.3f)]));
        var positions = tape.Constant(OnnxTensor.Of<long>([2, 3], [0, 1, 2, 4, 5, 7]));
        var flat = Heads(tape, "q").MoveAxes(0, 2, 1, 3).Reshape(0, 0, 8);
        model.Graph.AddOutput(tape.Op("RotaryEmbedding", [flat, angles.Apply("Cos"), angles.Apply("Sin"), positions], ("interleaved", interleaved), ("num_heads", 2)).Value);

        AssertSameResults(model, CanonicalModel.Of(model).Model, "q");
    }

    [Test]
    public void Keys_behind_a_stated_length_are_not_seen()   // opset 24
    {
        var (model, tape) = New();
        model.OpsetVersions[string.Empty] = 24;
        var lengths = tape.Constant(OnnxTensor.Vector(3L, 2L));
        model.Graph.AddOutput(tape.Op("Attention", [Heads(tape, "q"), Heads(tape, "k"), Heads(tape, "v"), null, null, null, lengths]).Value);

        AssertSameResults(model, CanonicalModel.Of(model).Model, "q", "k", "v");
    }

    [Test]
    public void Swish_is_one_operator_of_the_runtime()   // opset 24
    {
        var (model, tape) = New();
        model.OpsetVersions[string.Empty] = 24;
        model.Graph.AddOutput(tape.Op("Swish", [Heads(tape, "q")], ("alpha", 1.3f)).Value);

        var canonical = CanonicalModel.Of(model).Model;

        Assert.That(canonical.Graph.Nodes.Single().OpType, Is.EqualTo("QuickGelu"));
        var input = new Dictionary<string, OnnxTensor> { ["q"] = OnnxTensor.Of<float>([2, 2, 3, 4], [.. Enumerable.Range(-24, 48).Select(i => i / 8f)]) };
        Assert.That(Ort.Run(canonical, input).Single().Value.ToFloats(), Is.EqualTo(input["q"].ToFloats().Select(x => x / (1 + MathF.Exp(-1.3f * x)))).Within(1e-5));
    }

    [TestCase(0)]
    [TestCase(1)]
    public void Heads_may_share_keys_and_follow_a_past(int causal)
    {
        var (model, tape) = New();
        Expr Cache(string name) => tape.Constant(OnnxTensor.Of<float>([2, 1, 2, 4], [.. Enumerable.Range(0, 16).Select(i => (float)Math.Sin(i + name.Length))]));
        Expr Flat(string name, int width) => Heads(tape, name).MoveAxes(0, 2, 1, 3).Reshape(0, 0, 8).Slice(2, 0, width);
        var node = tape.Write("Attention", [Flat("q", 8), Flat("k", 4), Flat("v", 4), null, Cache("a"), Cache("bb")], 3, ("is_causal", causal), ("q_num_heads", 2), ("kv_num_heads", 1));
        model.Graph.AddOutput(node.Output);

        AssertSameResults(model, CanonicalModel.Of(model).Model, "q", "k", "v");
    }

    [Test]
    public void What_is_not_lowered_is_refused_by_name()
    {
        var (model, tape) = New();
        model.Graph.AddOutput(tape.Write("Attention", [Heads(tape, "q"), Heads(tape, "k"), Heads(tape, "v")], 4).Outputs[3]!);

        var error = Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!;

        Assert.That(error.Message, Does.Contain("Attention").And.Contain("scores as a further output"));
    }

    private static (OnnxModel Model, Tape Tape) New()
    {
        var (model, _) = Ort.New();
        model.OpsetVersions[string.Empty] = 23;
        return (model, new Tape(model.Graph, onnxOnly: true));
    }

    private static Expr Heads(Tape tape, string name) => tape[tape.Graph.AddInput(name, ElementType.Float, [2, 2, 3, 4])];

    private static void AssertSameResults(OnnxModel deployed, OnnxModel canonical, params string[] names)
    {
        var inputs = names.ToDictionary(name => name, name => RandomTensor.Between(0, 2, name, 2, 2, 3, 4));
        Assert.That(Ort.Run(canonical, inputs).Single().Value.ToFloats(), Is.EqualTo(Ort.Run(deployed, inputs).Single().Value.ToFloats()).Within(1e-5));
    }
}
