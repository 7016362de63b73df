using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir.Inference;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Canonical;

/// <summary>What holds for all forms.</summary>
public sealed class FormTests
{
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
