using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Tests.Data;

internal sealed class BatchTests
{
    private static readonly Sample[] TokenSamples =
    [
        new([5, 6, 7]) { TokenLabels = [5, 6, 7] },
        new([8], [1]) { TokenLabels = [8] },
    ];

    [Test]
    public void Rows_are_filled_up_on_the_right()
    {
        var batch = Of("masked-lm", TokenSamples, filler: 9);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(batch.Inputs["input_ids"].ToLongs(), Is.EqualTo([5, 6, 7, 8, 9, 9]));
            Assert.That(batch.Inputs["attention_mask"].ToLongs(), Is.EqualTo([1, 1, 1, 1, 0, 0]));
            Assert.That(batch.Inputs["token_type_ids"].ToLongs(), Is.EqualTo([0, 0, 0, 1, 0, 0]));
            Assert.That(batch.Inputs["position_ids"].ToLongs(), Is.EqualTo([0, 1, 2, 0, 1, 2]));
            Assert.That(batch.Inputs["labels"].ToLongs(), Is.EqualTo([5, 6, 7, 8, -100, -100]));
            Assert.That(batch.Inputs.Values.Select(tensor => tensor.ToString()), Is.All.EqualTo("int64[2, 3]"));
            Assert.That((batch.Rows, batch.Length, batch.Tokens), Is.EqualTo((2, 3, 4L)));
        }
    }

    [Test]
    public void Only_labels_that_the_loss_sees_are_counted()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Labels("masked-lm", TokenSamples), Is.EqualTo(4));
            Assert.That(Labels("causal-lm", TokenSamples), Is.EqualTo(2));
            Assert.That(Labels("causal-lm", [new([5, 6, 7]) { TokenLabels = [-100, -100, 7] }]), Is.EqualTo(1));
            Assert.That(Labels("classification", [new([5]) { Label = 1 }, new([6]) { Label = 0 }]), Is.EqualTo(2));
        }
    }

    [Test]
    public void Classes_are_integers_and_numbers_floats()
    {
        Sample[] samples = [new([5]) { Label = 1 }, new([6]) { Label = 0 }];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Of("classification", samples, 0).Inputs["labels"].ToString(), Is.EqualTo("int64[2]"));
            Assert.That(Of("regression", samples, 0).Inputs["labels"].Type, Is.EqualTo(ElementType.Float));
            Assert.That(Of("regression", samples, 0).Inputs["labels"].ToFloats(), Is.EqualTo([1f, 0f]));
        }
    }

    [Test]
    public void Unlabelled_samples_have_no_labels_input()
    {
        Assert.That(Of("classification", [new([5])], 0).Inputs.ContainsKey("labels"), Is.False);
    }

    private static Batch Of(string task, IReadOnlyList<Sample> samples, int filler) =>
        Batch.Of(samples, TrainingTasks.Find(task)!.Labels!, filler);

    private static long Labels(string task, IReadOnlyList<Sample> samples) => Of(task, samples, 0).LabelsFor(LortaCatalog.Default.LossOf(task));
}
