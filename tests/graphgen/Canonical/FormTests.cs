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
    }

    [TestCaseSource(nameof(Whole))]
    public void Pieces_become_one_operator(string op, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewritten.Of(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { op }));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [TestCaseSource(nameof(Pieces))]
    public void What_is_not_exactly_it_stays_in_pieces(string left, Func<Expr, Expr> function)
    {
        var (deployed, canonical) = Rewritten.Of(function);

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Does.Contain(left));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void Older_spellings_are_raised()
    {
        var (model, tape) = Ort.New();
        var x = Rewritten.Input(tape);
        model.OpsetVersions[string.Empty] = 11;
        var mean = Old(tape, "ReduceMean", [x], 1, ("axes", new long[] { 1 }), ("keepdims", 0))[0];
        var lifted = Old(tape, "Unsqueeze", [mean], 1, ("axes", new long[] { 1 }))[0];
        var parts = Old(tape, "Split", [x + lifted], 2, ("axis", 2), ("split", new long[] { 1, 3 }));
        model.Graph.AddOutput(Old(tape, "Softmax", [Old(tape, "Squeeze", [parts[0]], 1, ("axes", new long[] { 2 }))[0]], 1)[0].Value);

        var canonical = CanonicalModel.Of(model);

        Assert.That(canonical.Model.Graph.Nodes.SelectMany(node => node.Attributes.Keys), Does.Not.Contain("axes").And.Not.Contain("split"));
        Rewritten.AssertSameResults(model, canonical.Model);
    }

    [Test]
    public void Flattening_softmax_of_old_opsets_is_refused_by_name()
    {
        var (model, tape) = Ort.New();
        model.OpsetVersions[string.Empty] = 11;
        model.Graph.AddOutput(Old(tape, "Softmax", [Rewritten.Input(tape)], 1)[0].Value);

        var error = Assert.Throws<LortaException>(() => CanonicalModel.Of(model))!;

        Assert.That(error.Code, Is.EqualTo("LRT203"));
        Assert.That(error.Message, Does.Contain("Softmax").And.Contain("flattens"));
    }

    [Test]
    public void Dropout_goes_with_a_finding()
    {
        var (deployed, canonical) = Rewritten.Of(x => x.Tape.Op("Dropout", [x + 1]));

        Assert.That(canonical.Model.Graph.Nodes.Select(node => node.OpType), Is.EqualTo(new[] { "Add" }));
        Assert.That(canonical.Findings.Single().Node, Is.EqualTo("Dropout"));
        Assert.That(canonical.Model.Graph.Outputs[0].Name, Is.EqualTo(deployed.Graph.Outputs[0].Name));
    }

    [Test]
    public void Views_of_one_stored_weight_stay_one_tensor_and_know_their_origin()
    {
        var (deployed, canonical) = Rewritten.Of(x =>
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
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    [Test]
    public void An_output_that_is_an_input_keeps_a_node()
    {
        var (deployed, canonical) = Rewritten.Of(x => x.Apply("Identity"));

        Assert.That(canonical.Model.Graph.Nodes.Count(), Is.EqualTo(1));
        Rewritten.AssertSameResults(deployed, canonical.Model);
    }

    private static TestCaseData Case(string op, string name, Func<Expr, Expr> function) => new TestCaseData(op, function).SetArgDisplayNames(name);

    private static Expr Fraction(Expr e, long axis) => e / e.Sum(axis);

    private static Expr Einsum(Expr a, Expr b, string equation) => a.Tape.Op("Einsum", [a, b], ("equation", equation));

    private static Expr OnePlusErf(Expr x) => x.Apply("Erf") + 1;

    private static Expr[] Old(Tape tape, string op, ReadOnlySpan<Expr?> inputs, int outputs, params ReadOnlySpan<(string Name, Attr? Value)> attributes) =>
        [.. tape.Write(op, inputs, outputs, attributes).Outputs.Select(output => tape[output!])];

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
}
