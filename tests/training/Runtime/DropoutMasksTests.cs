using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Gradcheck;
using LoRTA.Onnx.Training.Runtime;

namespace LoRTA.Onnx.Training.Tests.Runtime;

internal sealed class DropoutMasksTests
{
    private const int Width = 8;

    [Test]
    public void Merged_rows_and_tokens_have_the_same_mask_as_apart()
    {
        var (masks, batch) = (new DropoutMasks(seed: 0, probability: 0.5), SampleBatch.For("classification", 10, 2, seed: 0));

        var (apart, merged) = (masks.Mask("dropout.x", [-1, -1, Width], (1, 0), batch), masks.Mask("dropout.x", [-1, Width], (1, 0), batch));

        Assert.That(apart.Dims.ToArray(), Is.EqualTo(new long[] { batch.Rows, batch.Length, Width }));
        Assert.That(merged.Dims.ToArray(), Is.EqualTo(new long[] { batch.Rows * batch.Length, Width }));
        Assert.That(merged.ToFloats(), Is.EqualTo(apart.ToFloats()).And.Some.Zero.And.Some.EqualTo(2));
    }

    [Test]
    public void Model_that_merges_rows_and_tokens_before_its_products_trains_with_dropout()
    {
        var options = new TrainingOptions { Adapter = new AdapterOptions { Rank = 2, Alpha = 2, Dropout = 0.5 }, Task = "causal-lm" };
        using var runtime = new OrtSessionRuntime(TrainingGraphs.Build(GptStyle(), options), new OrtEngineOptions { Threads = 1 }, new DropoutMasks(0, 0.5));

        var loss = runtime.Accumulate(SampleBatch.For("causal-lm", Width, Width, seed: 0), weight: 1);

        Assert.That(loss, Is.GreaterThan(0).And.LessThan(10));
    }

    // As PyTorch writes GPT-2: [B, S, d] is flattened to [B·S, d] before every product, which is a Gemm, and split again behind it.
    private static OnnxModel GptStyle()
    {
        var model = new OnnxModel(new Graph("gpt"));
        model.OpsetVersions[string.Empty] = 18;
        var tape = new Tape(model.Graph, onnxOnly: true);
        var ids = tape[model.Graph.AddInput("input_ids", ElementType.Int64, [Dim.Symbol("batch"), Dim.Symbol("sequence")])];
        var x = tape.Op("Gather", [Weight(tape, "wte", Width, Width), ids]);
        Expr Linear(Expr input, string name)
        {
            var shape = tape.Op("Concat", [tape.Op("Shape", [input], ("start", 0), ("end", 2)), tape.Longs(Width)], ("axis", 0));
            var product = tape.Op("Gemm", [input.Reshape(-1, Width), Weight(tape, $"{name}.weight", Width, Width), Weight(tape, $"{name}.bias", Width)]);
            return tape.Op("Reshape", [product, shape]);
        }

        Expr Heads(string name) => Linear(x, name).Reshape(0, 0, 2, Width / 2).MoveAxes(0, 2, 1, 3);
        var scores = Heads("q").MatMul(Heads("k").T) * 0.5;
        var mixed = scores.Apply("Softmax", ("axis", -1)).MatMul(Heads("v")).MoveAxes(0, 2, 1, 3).Reshape(0, 0, Width);
        var logits = x + Linear(mixed, "p");
        model.Graph.Rename(logits.Value, "logits");
        model.Graph.AddOutput(logits.Value);
        return model;
    }

    private static Expr Weight(Tape tape, string name, params long[] dims) => tape.Constant(RandomTensor.Normal(name, dims, 1.0 / 3), name);
}
