using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Fused;

/// <summary>ONNX Runtime's fused operators against the canonical graph, both run by ONNX Runtime. B 2, S 5, model width 16.</summary>
public sealed class FusedFormsTests
{
    private static IEnumerable<TestCaseData> Operators()
    {
        yield return Case("Attention", tape => Packed(tape, null));
        yield return Case("Attention, mask of lengths", tape => Packed(tape, Ints(tape, [2], 5, 3)));
        yield return Case("Attention, mask of ones", tape => Packed(tape, Ints(tape, [2, 5], 1, 1, 1, 1, 1, 0, 1, 1, 0, 1)));
        yield return Case("Attention, causal", tape => Packed(tape, null, ("unidirectional", 1), ("scale", 0.3f)));
        yield return Case("Attention, values of another width", tape => tape.Op(OrtOps.Attention, [X(tape), Numbers(tape, "w", 16, 24), Numbers(tape, "b", 24)], ("num_heads", 2), ("qkv_hidden_sizes", (long[])[8, 8, 8])));
        yield return Case("MultiHeadAttention", tape => tape.Op(OrtOps.MultiHeadAttention, [X(tape), Features(tape, 16), Features(tape, 16)], ("num_heads", 4)));
        yield return Case("MultiHeadAttention, bias and mask", tape => tape.Op(OrtOps.MultiHeadAttention, [X(tape), Features(tape, 16), Features(tape, 16), Numbers(tape, "b", 48), Ints(tape, [2, 5], 1, 1, 1, 0, 0, 1, 1, 1, 1, 0)], ("num_heads", 4)));
        yield return Case("MultiHeadAttention, relative positions", tape => tape.Op(OrtOps.MultiHeadAttention, [X(tape), Features(tape, 16), Features(tape, 16), null, null, Numbers(tape, "r", 1, 4, 5, 5)], ("num_heads", 4), ("unidirectional", 1)));
        yield return Case("GroupQueryAttention", tape => Grouped(tape, packed: false));
        yield return Case("GroupQueryAttention, packed", tape => Grouped(tape, packed: true));
        yield return Case("GroupQueryAttention, rotary", tape => Grouped(tape, packed: true, ("do_rotary", 1)));
        yield return Case("GroupQueryAttention, rotary in pairs", tape => Grouped(tape, packed: false, ("do_rotary", 1), ("rotary_interleaved", 1)));
        yield return Case("GroupQueryAttention, window", tape => Grouped(tape, packed: true, ("local_window_size", 2)));
        yield return Case("GroupQueryAttention, soft cap", tape => Grouped(tape, packed: true, ("softcap", 1.5f), ("scale", 0.9f)));
        yield return Case("GroupQueryAttention, a sink of zero", tape => Grouped(tape, packed: true, ("smooth_softmax", 1)));
        yield return Case("GroupQueryAttention, a sink of each head", tape => Grouped(tape, packed: true, sink: Numbers(tape, "sink", 2)));
        yield return Case("RotaryEmbedding", tape => Rotary(tape, 0));
        yield return Case("RotaryEmbedding, pairs", tape => Rotary(tape, 1));
        yield return Case("SkipLayerNormalization", tape => tape.Op(OrtOps.SkipLayerNormalization, [X(tape), Features(tape, 16), Numbers(tape, "g", 16), Numbers(tape, "c", 16), Numbers(tape, "b", 16)], ("epsilon", 1e-5f)));
        yield return Case("SkipLayerNormalization, its sum", tape => tape[tape.Write(OrtOps.SkipLayerNormalization, [X(tape), Features(tape, 16), Numbers(tape, "g", 16), Numbers(tape, "c", 16), Numbers(tape, "b", 16)], 4).Outputs[3]!]);
        yield return Case("SkipSimplifiedLayerNormalization", tape => tape.Op(OrtOps.SkipSimplifiedLayerNormalization, [X(tape), Features(tape, 16), Numbers(tape, "g", 16)], ("epsilon", 1e-5f)));
        yield return Case("EmbedLayerNormalization", tape => tape[tape.Write(OrtOps.EmbedLayerNormalization, [Ints(tape, [2, 5], 1, 2, 3, 0, 1, 3, 2, 1, 0, 3), Ints(tape, [2, 5], 0, 0, 1, 1, 1, 0, 0, 0, 1, 1), Numbers(tape, "words", 4, 16), Numbers(tape, "positions", 8, 16), Numbers(tape, "segments", 2, 16), Numbers(tape, "g", 16), Numbers(tape, "c", 16)], 2).Output] * X(tape));
        yield return Case("BiasGelu", tape => tape.Op(OrtOps.BiasGelu, [X(tape), Numbers(tape, "b", 16)]));
        yield return Case("FastGelu", tape => tape.Op(OrtOps.FastGelu, [X(tape), Numbers(tape, "b", 16)]));
        yield return Case("Silu in pieces", tape => X(tape) * X(tape).Apply("Sigmoid"));
    }

    [TestCaseSource(nameof(Operators))]
    public void Fused_operator_comes_down_to_the_same_numbers(Func<Tape, Expr> write)
    {
        var model = Written(write);

        var canonical = CanonicalModel.Of(model).Model;

        Assert.That(Run(canonical), Is.EqualTo(Run(model)).Within(2e-5));
    }

    [Test]
    public void A_sink_does_not_hide_the_attention()
    {
        var map = AttentionMap.Of(CanonicalModel.Of(Written(tape => Grouped(tape, packed: true, sink: Numbers(tape, "sink", 2)))));

        Assert.That(map.Layers.Single().V!.Stored.Columns, Is.EqualTo(new[] { (48L, 64L) }));
    }

    [TestCase("GroupQueryAttention", "qk_output")]
    [TestCase("Attention", "do_rotary")]
    public void What_a_fused_operator_says_beyond_is_refused_by_name(string op, string attribute)
    {
        var model = Written(tape => op == "Attention" ? Packed(tape, null, (attribute, 1)) : Grouped(tape, packed: true, (attribute, 1)));

        var failure = Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!;

        Assert.That(failure.Message, Does.Contain(op).And.Contain(attribute));
    }

    private static TestCaseData Case(string name, Func<Tape, Expr> write) => new TestCaseData(write).SetArgDisplayNames(name);

    private static OnnxModel Written(Func<Tape, Expr> write)
    {
        var model = new OnnxModel(new Graph("test"));
        (model.OpsetVersions[string.Empty], model.OpsetVersions[OrtOps.Domain]) = (21, 1);
        model.Graph.AddInput("x", ElementType.Float, [2, 5, 16]);
        model.Graph.AddOutput(write(new Tape(model.Graph, onnxOnly: true)).Value);
        return model;
    }

    private static float[] Run(OnnxModel model) => Ort.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = RandomTensor.Normal("x", [2, 5, 16], 0.5) }).Single().Value.ToFloats();

    private static Expr Packed(Tape tape, Expr? mask, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) =>
        tape.Op(OrtOps.Attention, [X(tape), Numbers(tape, "w", 16, 48), Numbers(tape, "b", 48), mask], [("num_heads", 4), .. attributes]);

    // 2 query heads, 1 key/value head of width 16; row 1 has 3 real tokens.
    private static Expr Grouped(Tape tape, bool packed, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) => Grouped(tape, packed, null, attributes);

    private static Expr Grouped(Tape tape, bool packed, Expr? sink, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes)
    {
        var empty = tape.Constant(OnnxTensor.Of<float>([2, 1, 0, 16], []));
        Expr?[] inputs =
        [
            .. packed ? (Expr?[])[Features(tape, 64), null, null] : [Features(tape, 32), Features(tape, 16), Features(tape, 16)],
            empty, empty, Ints(tape, [2], 4, 2), Ints(tape, [], 5), Numbers(tape, "cos", 8, 8), Numbers(tape, "sin", 8, 8),
            .. sink is null ? (Expr?[])[] : [null, null, sink],
        ];
        var result = tape.Op(OrtOps.GroupQueryAttention, inputs, [("num_heads", 2), ("kv_num_heads", 1), .. attributes]);
        return result * tape.Constant(OnnxTensor.Of<float>([2, 5, 1], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]));   // padding is anyone's guess
    }

    private static Expr Rotary(Tape tape, long interleaved) => tape.Op(
        OrtOps.RotaryEmbedding,
        [X(tape), tape.Constant(OnnxTensor.Of<long>([2, 5], [0, 1, 2, 3, 4, 3, 4, 5, 6, 7])), Numbers(tape, "cos", 8, 4), Numbers(tape, "sin", 8, 4)],
        ("interleaved", interleaved));

    private static Expr X(Tape tape) => tape[tape.Graph.Find("x")!];

    private static Expr Features(Tape tape, long width) => X(tape).MatMul(Numbers(tape, $"features{width}", 16, width));

    private static Expr Numbers(Tape tape, string name, params long[] dims) => tape.Constant(RandomTensor.Normal(name, dims, 0.5), tape.Graph.UniqueName(name));

    private static Expr Ints(Tape tape, long[] dims, params int[] values) => tape.Constant(OnnxTensor.Of<int>(dims, values));
}
