using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical;

public sealed class Opset23FormsTests
{
    [TestCase(0, 0f, false)]
    [TestCase(1, 0f, false)]
    [TestCase(0, 2f, false)]
    [TestCase(0, 0f, true)]
    public void Attention_comes_down_to_products(int causal, float softcap, bool masked)
    {
        var (model, tape) = New();
        Expr?[] inputs = [Heads(tape, "q"), Heads(tape, "k"), Heads(tape, "v"), masked ? tape.Constant(Tensor.Of<bool>([1, 1, 3, 3], [true, false, true, true, true, false, false, false, true])) : null];
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
        var angles = tape.Constant(Tensor.Of<float>([2, 3, width / 2], [.. Enumerable.Range(0, 3 * width).Select(i => i * 0.3f)]));
        model.Graph.AddOutput(tape.Op("RotaryEmbedding", [Heads(tape, "q"), angles.Apply("Cos"), angles.Apply("Sin")], ("rotary_embedding_dim", turning)).Value);

        var canonical = CanonicalModel.Of(model);

        AssertSameResults(model, canonical.Model, "q");
    }

    [Test]
    public void What_is_not_lowered_is_refused_by_name()
    {
        var (model, tape) = New();
        var k = tape[tape.Graph.AddInput("k", ElementType.Float, [2, 1, 3, 4])];
        model.Graph.AddOutput(tape.Op("Attention", [Heads(tape, "q"), k, k]).Value);

        var error = Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!;

        Assert.That(error.Message, Does.Contain("Attention").And.Contain("fewer key than query heads"));
    }

    private static (Model Model, Tape Tape) New()
    {
        var (model, _) = Ort.New();
        model.OpsetVersions[string.Empty] = 23;
        return (model, new Tape(model.Graph, onnxOnly: true));
    }

    private static Expr Heads(Tape tape, string name) => tape[tape.Graph.AddInput(name, ElementType.Float, [2, 2, 3, 4])];

    private static void AssertSameResults(Model deployed, Model canonical, params string[] names)
    {
        var inputs = names.ToDictionary(name => name, name =>
        {
            var random = new SeededRandom(0, name);
            return Tensor.Of<float>([2, 2, 3, 4], [.. Enumerable.Range(0, 48).Select(_ => (float)random.NextIndex(1000) / 500)]);
        });
        Assert.That(Ort.Run(canonical, inputs).Single().Value.ToFloats(), Is.EqualTo(Ort.Run(deployed, inputs).Single().Value.ToFloats()).Within(1e-5));
    }
}
