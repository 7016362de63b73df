using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tests.Data;

internal sealed class LabelKindTests
{
    [TestCase(ElementType.Int64, 1, "Class")]
    [TestCase(ElementType.Int32, 1, "Class")]
    [TestCase(ElementType.Float16, 1, "Number")]
    [TestCase(ElementType.Int64, 2, "Token")]
    public void The_input_of_a_model_says_which_labels_it_takes(ElementType type, int rank, string expected) =>
        Assert.That(LabelKind.Of(WithLabels(type, rank)), Is.SameAs(typeof(LabelKind).GetProperty(expected)!.GetValue(null)));

    [Test]
    public void A_model_without_an_input_for_labels_takes_none() => Assert.That(LabelKind.Of(new Graph("model")), Is.SameAs(LabelKind.None));

    [TestCase(0)]
    [TestCase(3)]
    public void Labels_of_an_unknown_look_are_refused(int rank) =>
        Assert.That(() => LabelKind.Of(WithLabels(ElementType.Int64, rank)),
            Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT518").And.Message.Contains("'labels: int64"));

    [Test]
    public void A_kind_of_a_users_own_decides_what_a_batch_holds()
    {
        var pairs = new LabelKind
        {
            Stack = (samples, _) => OnnxTensor.Of<float>([samples.Count, 2], [.. samples.SelectMany(sample => new[] { sample.Label!.Value, 0 })]),
            Draw = null,
        };

        var batch = Batch.Of([new([5]) { Label = 1 }, new([6, 7]) { Label = 2 }], pairs, filler: 0);

        Assert.That(batch.Inputs["labels"].ToFloats(), Is.EqualTo([1f, 0f, 2f, 0f]));
    }

    private static Graph WithLabels(ElementType type, int rank)
    {
        var graph = new Graph("model");
        graph.AddInput(TrainingNames.Labels, type, [.. Enumerable.Repeat(new Dim(2), rank)]);
        return graph;
    }
}
