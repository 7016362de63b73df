using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Optimizers;
using LoRTA.Onnx.Tests.Shared;
using LoRTA.Onnx.Training.Runs;

namespace LoRTA.Onnx.Training.Tests.Runs;

internal sealed class ClassifierHeadTests
{
    private const string Line = "To train it too, add to the recipe: trainables: [{ match: \"classifier.*\", lr: 1e-3 }]";

    [TestCase(0.02, 0, "holds random numbers, as before any training, and stays frozen.")]
    [TestCase(0.02, 0.001, "stays frozen, which is right only if it was trained for these labels.")]
    [TestCase(0.2, 0, "stays frozen, which is right only if it was trained for these labels.")]
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
