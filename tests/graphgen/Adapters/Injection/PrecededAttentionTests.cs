using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Injection;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Tests.Adapters.Families;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Adapters.Injection;

internal sealed class PrecededAttentionTests
{
    private const int Batch = 2, Heads = 4, Groups = 2, Length = 5, Width = 3, Further = 2;

    [TestCase("heads on an axis", 4, Heads)]
    [TestCase("heads and batch merged", 3, Heads)]
    [TestCase("groups on two axes", 5, Groups)]
    public void Further_keys_are_seen_by_every_query_and_share_the_softmax(string layout, int rank, int groups)
    {
        var (model, tape) = Ort.New();
        var q = Input("q", [Batch, Heads, Length, Width]);
        var k = Input("k", [Batch, groups, Length, Width]);
        var v = Input("v", [Batch, groups, Length, Width]);
        var mask = tape.Constant(OnnxTensor.Of<float>([Length, Length], [.. Enumerable.Range(0, Length * Length).Select(i => i % Length > i / Length ? -1e9f : 0)]));
        var (keys, values) = (RandomTensor.Normal("keys", groups, Further, Width), RandomTensor.Normal("values", groups, Further, Width));
        var visible = Expr.Concat(-1, mask.Slice(-1, 0, 1).Slice(0, 4, 5).ExpandLike(tape.Constant(RandomTensor.Normal("shape", Length, Further))), mask);
        var expected = Attention(Shaped(q, rank), Shaped(Preceded(k, keys), rank), Shaped(Preceded(v, values), rank), visible);
        var plain = Attention(Shaped(q, rank), Shaped(k, rank), Shaped(v, rank), mask);
        model.Graph.AddOutput(expected.Value);
        model.Graph.AddOutput(plain.Value);
        var canonical = CanonicalModel.Of(model);
        var copy = new Tape(canonical.Model.Graph);
        var core = canonical.Cores.Single(core => core.Out.Name == plain.Value.Name);

        var preceded = new PrecededAttention(copy, new AttentionPort(0, core, Heads, groups)).Write(new PrecedingKeys(copy.Constant(keys), copy.Constant(values)), copy.Constant(OnnxTensor.Scalar(1f)));

        canonical.Model.Graph.AddOutput(preceded.Value);
        canonical.Model.Graph.Sort();
        var outputs = ((IGraphEvaluator)FamilyCase.Evaluator).Run(canonical.Model, model.Graph.Inputs.ToDictionary(input => input.Name, input => RandomTensor.Normal(input.Name, [.. input.Shape!.Select(dim => dim.Value!.Value)])));
        Assert.That(outputs[preceded.Value.Name].ToFloats(), Is.EqualTo(outputs[expected.Value.Name].ToFloats()).Within(1e-6), layout);
        Assert.That(outputs[plain.Value.Name].ToFloats(), Is.Not.EqualTo(outputs[expected.Value.Name].ToFloats()).Within(1e-3), layout);

        Expr Input(string name, long[] dims) => tape[model.Graph.AddInput(name, ElementType.Float, [.. dims.Select(dim => new Dim(dim))])];

        static Expr Preceded(Expr sequence, OnnxTensor further) =>
            Expr.Concat(2, sequence.Tape.Constant(further).Unsqueeze(0).ExpandLike(sequence.Slice(2, 0, Further)), sequence);
    }

    private static Expr Attention(Expr q, Expr k, Expr v, Expr mask) =>
        ((q.MatMul(k.T) * 0.5) + mask).Apply("Softmax", ("axis", -1)).MatMul(v);

    private static Expr Shaped(Expr x, int rank)
    {
        var (heads, length) = (x.Shape[1].Value!.Value, x.Shape[2].Value!.Value);
        return rank switch
        {
            3 => x.Reshape(Batch * heads, length, Width),
            5 => x.Reshape(Batch, Groups, heads / Groups, length, Width),
            _ => x,
        };
    }
}
