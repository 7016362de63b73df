using LoRTA.Onnx.Bench.Models;
using LoRTA.Onnx.Export.Verifying;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Attention;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.Export.Tests.Verifying;

/// <summary>Large models: the file that <c>bench large-model</c> writes to time exports on, at a small size, and what depends on size.</summary>
internal sealed class LargeModelTests
{
    [Test]
    public void The_file_of_the_benchmark_is_a_decoder_that_its_factors_are_folded_into()
    {
        using var folder = new TestFolder();
        new LargeModel(Layers: 2, Hidden: 64, Heads: 4, Ffn: 96, Vocabulary: 50).Save(folder["model.onnx"]);
        var deployed = OnnxModel.Load(folder["model.onnx"]);

        var understood = UnderstoodModel.Of(deployed);
        var options = new AdapterOptions { Method = "lora", Rank = 4, Alpha = 8, Targets = ["q", "v"] };
        var plan = AdapterPlan.Of(understood, options);
        var factors = Safetensors.Load(folder["model.onnx.factors.safetensors"]).Tensors;
        var adapter = new Adapter("adapter", AdapterConfig.Of(plan, BaseModels.Describe(understood, plan)), factors);
        var folded = RandomAdapter.Evaluator.Fold(understood, adapter);
        var result = RandomAdapter.Evaluator.Compare(understood, folded, new VerifyOptions { Adapter = adapter });

        Assert.That((understood.Map.Layers.Count, understood.Map.Heads, understood.Map.Findings.Count), Is.EqualTo((2, 4, 0)));
        Assert.That(folded.Bits, Is.EqualTo(4));
        Assert.That(result.EffectKept, Is.GreaterThan(0).And.GreaterThanOrEqualTo(result.EffectNearest!.Value));
    }

    [TestCase(1.0e9, null, 32)]
    [TestCase(2.5e9, null, 15)]
    [TestCase(4.7e9, null, 8)]
    [TestCase(1e12, null, 8)]
    [TestCase(1e12, 100, 100)]
    [TestCase(1.0e9, 5, 5)]
    public void Random_rows_are_shorter_the_larger_the_file_unless_their_length_is_given(double bytes, int? length, int expected)
    {
        var graph = new Graph("large");
        graph.AddConstant("weight", OnnxTensor.Streamed(ElementType.UInt8, [(long)bytes], () => throw new InvalidOperationException()));

        Assert.That(Calibration.LengthOf(OnnxModel.ForRuntime(graph), new VerifyOptions { Length = length }), Is.EqualTo(expected));
    }
}
