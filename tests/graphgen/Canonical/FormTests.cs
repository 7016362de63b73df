using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical;

/// <summary>Single forms, each in a graph y = f(x), x [2, 3, 4].</summary>
public sealed class FormTests
{
    private static IEnumerable<TestCaseData> Whole()
    {
        yield return Case("LayerNormalization", "layer norm, square as power", x => LayerNorm(x, d => Power(d, 2)));
        yield return Case("LayerNormalization", "layer norm, square as product", x => LayerNorm(x, d => d * d));
        yield return Case("SimplifiedLayerNormalization", "RMS norm through a reciprocal", x => Vector(x, "scale") * (x * Root(x).Apply("Reciprocal")));
        yield return Case("SimplifiedLayerNormalization", "RMS norm through one over the root", x => (1 / Root(x) * x) * Vector(x, "scale"));
        yield return Case("SimplifiedLayerNormalization", "RMS norm with 1 + w", x => x / Root(x) * (Vector(x, "scale") + 1));
        yield return Case("Softmax", "softmax", x => Fraction((x - x.Reduce("ReduceMax", [-1], keep: true)).Apply("Exp"), -1));
        yield return Case("Softmax", "softmax without the largest taken off", x => Fraction(x.Apply("Exp"), 2));
        yield return Case("FusedMatMul", "einsum of a product with a turned operand", x => Einsum(x, x, "bij,bkj->bik"));
        yield return Case("MatMul", "einsum of a product by a matrix", x => Einsum(x, x.Tape.Constant(OnnxTensor.Of<float>([4, 5], [.. Enumerable.Range(0, 20).Select(i => (float)i)])), "abc,cd->abd"));
        yield return Case("Gelu", "gelu, half last", x => x * OnePlusErf(x / Math.Sqrt(2)) * 0.5);
        yield return Case("Gelu", "gelu, half first", x => x * 0.5 * OnePlusErf(x * Math.Sqrt(0.5)));
        yield return Case("Gelu", "gelu, half of the second factor", x => x * (0.5 * OnePlusErf(x / Math.Sqrt(2))));
        yield return Case("Gelu", "gelu divided by two", x => x * OnePlusErf(x / Math.Sqrt(2)) / 2);
    }

    private static IEnumerable<TestCaseData> Pieces()
    {
        yield return Case("Erf", "gelu with a rounded constant", x => x * OnePlusErf(x / (double)(float)(Half)Math.Sqrt(2)) * 0.5);
        yield return Case("Erf", "gelu of one value times another", x => (x + 1) * OnePlusErf(x / Math.Sqrt(2)) * 0.5);
        yield return Case("Exp", "softmax over another axis", x => Fraction((x - x.Reduce("ReduceMax", [1], keep: true)).Apply("Exp"), 1));
        yield return Case("Exp", "exponentials over another sum", x => x.Apply("Exp") / (x + 1).Apply("Exp").Sum(-1));
        yield return Case("Einsum", "einsum that sums two axes", x => Einsum(x, x, "bij,bij->b"));
        yield return Case("Einsum", "einsum that sums one operand alone", x => Einsum(x, x, "bij,bkl->bik"));
        yield return Case("ReduceMean", "norm over another axis", x => x / ((x * x).Mean(1) + 1e-5).Sqrt() * Vector(x, "scale"));
        yield return Case("ReduceMean", "norm with a scale per row", x => x / Root(x) * x.Tape.Constant(OnnxTensor.Of<float>([3, 1], [1f, 2f, 3f])));
        yield return Case("ReduceMean", "norm with a cube", x => x / (Power(x, 3).Mean(-1) + 100).Sqrt() * Vector(x, "scale"));
    }

    [TestCaseSource(nameof(Whole))]
    public void Pieces_become_one_operator(string op, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewrite(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType).Where(type => type is not "Add" || op != "SimplifiedLayerNormalization"), Is.EqualTo(new[] { op }));
        AssertSameResults(deployed, canonical.Model);
    }

    [TestCaseSource(nameof(Pieces))]
    public void What_is_not_exactly_it_stays_in_pieces(string left, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewrite(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Does.Contain(left));
        AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void Older_spellings_are_raised()
    {
        var (model, tape) = Ort.New();
        var x = Input(tape);
        model.OpsetVersions[string.Empty] = 11;
        var mean = Old(tape, "ReduceMean", [x], 1, ("axes", new long[] { 1 }), ("keepdims", 0))[0];
        var lifted = Old(tape, "Unsqueeze", [mean], 1, ("axes", new long[] { 1 }))[0];
        var parts = Old(tape, "Split", [x + lifted], 2, ("axis", 2), ("split", new long[] { 1, 3 }));
        model.Graph.AddOutput(Old(tape, "Softmax", [Old(tape, "Squeeze", [parts[0]], 1, ("axes", new long[] { 2 }))[0]], 1)[0].Value);

        var canonical = CanonicalModel.Of(model);

        Assert.That(canonical.Model.Graph.Nodes.SelectMany(node => node.Attributes.Keys), Does.Not.Contain("axes").And.Not.Contain("split"));
        AssertSameResults(model, canonical.Model);
    }

    [Test]
    public void Flattening_softmax_of_old_opsets_is_refused_by_name()
    {
        var (model, tape) = Ort.New();
        model.OpsetVersions[string.Empty] = 11;
        model.Graph.AddOutput(Old(tape, "Softmax", [Input(tape)], 1)[0].Value);

        var error = Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!;

        Assert.That(error.Code, Is.EqualTo("LRT203"));
        Assert.That(error.Message, Does.Contain("Softmax").And.Contain("flattens"));
    }

    [Test]
    public void Dropout_goes_with_a_finding()
    {
        var (deployed, canonical) = Rewrite(x => x.Tape.Op("Dropout", [x + 1]));

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { "Add" }));
        Assert.That(canonical.Findings.Single().Node, Is.EqualTo("Dropout"));
        Assert.That(canonical.Model.Graph.Outputs[0].Name, Is.EqualTo(deployed.Graph.Outputs[0].Name));
    }

    [Test]
    public void Views_of_one_stored_weight_stay_one_tensor_and_know_their_origin()
    {
        var (deployed, canonical) = Rewrite(x =>
        {
            var stored = x.Tape.Constant(OnnxTensor.Of<Half>([4, 4], [.. Enumerable.Range(0, 16).Select(i => (Half)i)]), "stored");
            return x.MatMul(View(stored)) + x.MatMul(View(x.Tape.Op("Identity", [stored])));

            static Expr View(Expr weight) => weight.Cast(ElementType.Float).T;
        });

        var weight = canonical.Model.Graph.Initializers.Single();
        Assert.That(weight.Type, Is.EqualTo(ElementType.Float));
        Assert.That(canonical.OriginOf(weight)!.Initializer, Is.EqualTo("stored"));
        Assert.That(canonical.OriginOf(weight)!.IsTransposed, Is.True);
        Assert.That(canonical.OriginOf(weight)!.Through, Is.EqualTo(new[] { "Cast", "Transpose" }));
        AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void An_output_that_is_an_input_keeps_a_node()
    {
        var (deployed, canonical) = Rewrite(x => x.Apply("Identity"));

        Assert.That(canonical.Model.Graph.Nodes.Count(), Is.EqualTo(1));
        AssertSameResults(deployed, canonical.Model);
    }

    private static TestCaseData Case(string op, string name, Func<Expr, Expr> function) => new TestCaseData(op, function).SetArgDisplayNames(name);

    private static Expr Fraction(Expr e, long axis) => e / e.Sum(axis);

    private static Expr Einsum(Expr a, Expr b, string equation) => a.Tape.Op("Einsum", [a, b], ("equation", equation));

    private static Expr LayerNorm(Expr x, Func<Expr, Expr> square)
    {
        var d = x - x.Mean(-1);
        return (d / (square(d).Mean(-1) + 1e-5).Sqrt() * Vector(x, "scale")) + Vector(x, "bias");
    }

    private static Expr Root(Expr x) => (Power(x, 2).Mean(-1) + 1e-6).Sqrt();

    private static Expr Power(Expr x, float exponent) => x.Apply("Pow", x.Tape.Constant(OnnxTensor.Scalar(exponent)));

    private static Expr OnePlusErf(Expr x) => x.Apply("Erf") + 1;

    private static Expr Vector(Expr x, string name) => x.Tape.Constant(OnnxTensor.Vector(0.5f, 1f, 1.5f, 2f), name);

    private static Expr Input(Tape tape) => tape[tape.Graph.AddInput("x", ElementType.Float, [2, 3, 4])];

    private static Expr[] Old(Tape tape, string op, ReadOnlySpan<Expr?> inputs, int outputs, params ReadOnlySpan<(string Name, Attr? Value)> attributes) =>
        [.. tape.Write(op, inputs, outputs, attributes).Outputs.Select(output => tape[output!])];

    [Test]
    public void A_form_that_leaves_a_node_says_why()
    {
        var (_, canonical) = Rewrite(x => x / Root(x) * x.Tape.Constant(OnnxTensor.Of<float>([3, 1], [1f, 2f, 3f])));

        var product = canonical.Model.Graph.Nodes.Single(node => node.Op == "Mul" && node.Input(0)!.Producer is { Op: "Div" });
        Assert.That(canonical.Declined[product],
            Does.Contain("RMS norm in pieces: it is no x over the root of its mean square, times a scale for each feature"));
        Assert.That(canonical.Declined.Keys, Is.SubsetOf(canonical.Model.Graph.Nodes));
    }

    [Test]
    public void A_check_that_refuses_changes_nothing_and_throws_nothing()
    {
        foreach (var export in new[] { "llama-mini/genai-int4", "roberta-mini/seqcls.ort-fused", "llama-mini/int8-qdq" })
        {
            var rewriting = new Rewriting(OnnxModel.Load(Exports.Path(export)));
            ShapeInference.Infer(rewriting.Graph);
            var before = (rewriting.Graph.Nodes.Count(), rewriting.Graph.Values.Count, rewriting.Findings.Count);

            var refusals = rewriting.Graph.Nodes.ToList().SelectMany(node =>
                CanonicalModel.Forms.OfType<Refuse>().Where(form => form.Op is null || form.Op == node.Op).Select(form => form.Check(node, rewriting)));

            Assert.That(refusals, Has.All.Null, export);
            Assert.That((rewriting.Graph.Nodes.Count(), rewriting.Graph.Values.Count, rewriting.Findings.Count), Is.EqualTo(before), export);
        }
    }

    private static (OnnxModel Deployed, CanonicalModel Canonical) Rewrite(Func<Expr, Expr> function)
    {
        var (model, _) = Ort.New();
        model.Graph.AddOutput(function(Input(new Tape(model.Graph, onnxOnly: true))).Value);
        return (model, CanonicalModel.Of(model));
    }

    private static void AssertSameResults(OnnxModel deployed, OnnxModel canonical)
    {
        var random = new SeededRandom(0, "x");
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Of<float>([2, 3, 4], [.. Enumerable.Range(0, 24).Select(_ => (float)random.NextIndex(1000) / 500)]) };
        Assert.That(Ort.Run(canonical, inputs).Single().Value.ToFloats(), Is.EqualTo(Ort.Run(deployed, inputs).Single().Value.ToFloats()).Within(1e-5));
    }
}
