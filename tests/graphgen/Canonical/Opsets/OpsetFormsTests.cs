using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical.Opsets;

/// <summary>Spellings of older opsets, in a graph y = f(x), x [2, 3, 4].</summary>
public sealed class OpsetFormsTests
{
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

    private static Expr[] Old(Tape tape, string op, ReadOnlySpan<Expr?> inputs, int outputs, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) =>
        [.. tape.Write(op, inputs, outputs, attributes).Outputs.Select(output => tape[output!])];
}
