using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tests.Data;

internal sealed class BatchPlanTests
{
    private static readonly int[] Mixed = [.. Enumerable.Range(0, 103).Select(i => 1 + (i * 37 % 50))];

    [TestCase(false)]
    [TestCase(true)]
    public void A_batch_larger_than_any_number_of_samples_holds_them_all(bool bucketing)
    {
        var plan = new BatchPlan(0, Mixed, int.MaxValue, bucketing);

        Assert.That((plan.Count, plan.Epoch(0).Single().Length), Is.EqualTo((1, 103)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void An_epoch_holds_every_sample_once_and_ends_with_the_short_batch(bool bucketing)
    {
        var batches = new BatchPlan(0, Mixed, 4, bucketing).Epoch(2);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(batches.SelectMany(batch => batch), Is.EquivalentTo(Enumerable.Range(0, 103)));
            Assert.That(batches.Select(batch => batch.Length), Is.EqualTo(Enumerable.Repeat(4, 25).Append(3)));
        }
    }

    [Test]
    public void Epochs_differ_and_are_functions_of_the_seed()
    {
        static string Order(long seed, int epoch) => string.Join(' ', new BatchPlan(seed, Mixed, 4, bucketing: true).Epoch(epoch).SelectMany(batch => batch));

        var again = Order(0, 0);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Order(0, 0), Is.EqualTo(again));
            Assert.That(new[] { Order(0, 0), Order(0, 1), Order(1, 0) }, Is.Unique);
        }
    }

    [Test]
    public void Bucketing_saves_filling()
    {
        int Filled(bool bucketing) => new BatchPlan(0, Mixed, 4, bucketing).Epoch(0).Sum(batch => batch.Length * batch.Max(index => Mixed[index]));

        Assert.That(Filled(true), Is.LessThan(Filled(false) * 0.8));
    }

    [Test]
    public void Equal_lengths_leave_the_plain_permutation()
    {
        var batches = new BatchPlan(7, [.. Enumerable.Repeat(64, 50)], 8, bucketing: true).Epoch(3);

        Assert.That(batches.SelectMany(batch => batch), Is.EqualTo(new SeededRandom(7, "data/epoch/3").Permutation(50)));
    }

    [Test]
    public void In_order_is_file_order_or_from_long_to_short()
    {
        int[] lengths = [2, 3, 1];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(new BatchPlan(0, lengths, 2, bucketing: false).InOrder(), Is.EqualTo(new int[][] { [0, 1], [2] }));
            Assert.That(new BatchPlan(0, lengths, 2, bucketing: true).InOrder(), Is.EqualTo(new int[][] { [1, 0], [2] }));
        }
    }
}
