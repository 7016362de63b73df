using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class ClassifierHeadTests
{
    private const string Trained = "stays frozen, which is right only if it was trained for these labels.";
    private const string Line = "To train it too, add to the recipe: trainables: [{ match: \"classifier.*\", lr: 1e-3 }]";

    [TestCase(0.02, 0, "looks untrained (its weights have a deviation of 0.02, where 0.02 is usual before training, and its biases are zero) and stays frozen.")]
    [TestCase(0.0225, 0, Trained, TestName = "Too far from 0.02 for so many numbers")]
    [TestCase(0.02, 0.001, Trained)]
    [TestCase(0.2, 0, Trained)]
    [TestCase(0.051, 0.08, "looks untrained (no number is above 0.08839 = 1/√128, where PyTorch draws the first ones) and stays frozen.")]
    [TestCase(0.051, 0.09, Trained)]
    public void A_head_that_stays_frozen_is_named_with_the_line_that_trains_it(double deviation, double bias, string what)
    {
        var model = WithHead(deviation, bias);

        var warning = ClassifierHead.Of(model, "classification").Warning(model, []);

        Assert.That(warning, Is.EqualTo($"The head (classifier) {what} {Line}"));
    }

    [Test]
    public void A_head_of_which_something_is_trained_needs_no_warning()
    {
        var model = WithHead(0.02, 0);
        var bias = new TrainedTensor(new TensorName(TensorKind.Parameter, "classifier.out_proj.bias"), OnnxTensor.Of<float>([2], [0f, 0f]), new ParameterGroup());

        Assert.That(ClassifierHead.Of(model, "classification").Warning(model, [bias]), Is.Null);
    }

    [Test]
    public void An_empty_weight_tells_nothing() =>
        Assert.That(FreshLinear.SignOf([OnnxTensor.Of<float>([0, 8], Array.Empty<float>())]), Is.Null);

    [TestCase("top.fc", "top.fc"), TestCase("classifier.out", "classifier"), TestCase("scores", "scores")]
    public void The_last_linear_layer_in_front_of_the_scores_is_the_head(string module, string expected)
    {
        var model = new OnnxModel(new Graph("test")) { OpsetVersions = { [string.Empty] = 21 } };
        var tape = new Tape(model.Graph, onnxOnly: true);
        var hidden = tape[model.Graph.AddInput("x", ElementType.Float, [Dim.Symbol("batch"), 8])];
        var inner = hidden.MatMul(tape.Constant(RandomTensor.Normal("inner", 8, 8), "inner.weight")).Apply("Tanh");
        var scores = inner.MatMul(tape.Constant(RandomTensor.Normal("w", 8, 3), $"{module}.weight")) + tape.Constant(RandomTensor.Normal("b", 3), $"{module}.bias");
        model.Graph.AddOutput(scores.Reshape(-1, 3).Value);

        Assert.That(ClassifierHead.Of(model, "classification").Modules, Is.EqualTo(new[] { expected }));
    }

    [Test]
    public void A_language_model_has_no_classifier()
    {
        var model = OnnxModel.Load(Exports.Path("llama-mini/ts-sdpa"));

        Assert.That(ClassifierHead.Of(model, "causal-lm").Warning(model, []), Is.Null);
    }

    // Numbers of alternating sign, all as large as the deviation.
    private static OnnxModel WithHead(double deviation, double bias)
    {
        var model = OnnxModel.Load(Exports.Path("roberta-mini/seqcls.ts-eager"));
        foreach (var name in ClassifierHead.Of(model, "classification").Parameters)
        {
            var stored = model.Graph.Find(name.Initializer)!;
            var values = new float[stored.Constant!.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)(stored.Constant.Rank == 2 ? (i % 2 == 0 ? deviation : -deviation) : bias);
            stored.Constant = OnnxTensor.Of<float>([.. stored.Constant.Dims], values);
        }
        return model;
    }
}
