using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tests.Data;

internal sealed class PrefetchingTests
{
    [Test]
    public void Items_come_in_order() => Assert.That(Enumerable.Range(0, 1000).Prefetch(3), Is.EqualTo(Enumerable.Range(0, 1000)));

    [Test]
    public void What_making_an_item_throws_comes_out_after_the_items_before_it()
    {
        var seen = new List<int>();

        void Consume()
        {
            foreach (var item in Enumerable.Range(0, 5).Select(i => i < 3 ? i : throw new InvalidOperationException("third")).Prefetch(2)) seen.Add(item);
        }

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Consume, Throws.InvalidOperationException.With.Message.EqualTo("third"));
            Assert.That(seen, Is.EqualTo([0, 1, 2]));
        }
    }

    [Test]
    public void An_endless_source_stops_when_the_consumer_leaves()
    {
        var finished = false;
        IEnumerable<int> Endless()
        {
            try
            {
                for (var i = 0; ; i++) yield return i;
            }
            finally
            {
                finished = true;
            }
        }

        Assert.That(Endless().Prefetch(2).Take(3), Is.EqualTo([0, 1, 2]));
        Assert.That(finished, Is.True);
    }
}
