using System.Collections.Concurrent;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Makes the next items of a sequence while the current one is worked on.</summary>
internal static class Prefetching
{
    /// <summary>The same items in the same order, at most <paramref name="count"/> of them made ahead on another thread.</summary>
    /// <remarks>What making an item throws comes out in its place. The maker has ended when the enumerator is disposed.</remarks>
    public static IEnumerable<T> Prefetch<T>(this IEnumerable<T> items, int count)
    {
        using var stop = new CancellationTokenSource();
        using var ready = new BlockingCollection<T>(count);
        var making = Task.Run(() => Make(items, ready, stop.Token), CancellationToken.None);
        try
        {
            foreach (var item in ready.GetConsumingEnumerable(CancellationToken.None)) yield return item;
            making.GetAwaiter().GetResult();
        }
        finally
        {
            stop.Cancel();
            Task.WaitAny([making], CancellationToken.None);   // the maker uses what is disposed next
        }
    }

    private static void Make<T>(IEnumerable<T> items, BlockingCollection<T> ready, CancellationToken stop)
    {
        try
        {
            foreach (var item in items)
            {
                if (stop.IsCancellationRequested) return;
                ready.Add(item, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;   // the consumer has left
        }
        finally
        {
            ready.CompleteAdding();
        }
    }
}
