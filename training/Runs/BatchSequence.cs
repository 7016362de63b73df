using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Batches as they are given, pass after pass.</summary>
internal static class BatchSequence
{
    /// <summary>The batches from a place on, without end.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static IEnumerable<Batch> From(this IEnumerable<Batch> batches, DataPosition position) =>
        batches is EpochBatches epochs ? epochs.From(position) : Passes(batches, position);

    private static IEnumerable<Batch> Passes(IEnumerable<Batch> batches, DataPosition position)
    {
        for (var epoch = position.Epoch; ; epoch++)
        {
            var skipped = epoch == position.Epoch ? position.Batch : 0;
            var pass = new Pass(epoch, isFirst: epoch == position.Epoch);
            foreach (var batch in batches)
            {
                if (pass.Add(batch) is { } ready && ready.Index >= skipped) yield return ready.Batch;
            }
            if (pass.End() is var last && last.Index >= skipped) yield return last.Batch;
        }
    }

    /// <inheritdoc cref="From(IEnumerable{Batch}, DataPosition)"/>
    public static async IAsyncEnumerable<Batch> From(this IAsyncEnumerable<Batch> batches, DataPosition position,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop = default)
    {
        for (var epoch = position.Epoch; ; epoch++)
        {
            var skipped = epoch == position.Epoch ? position.Batch : 0;
            var pass = new Pass(epoch, isFirst: epoch == position.Epoch);
            await foreach (var batch in batches.WithCancellation(stop).ConfigureAwait(false))
            {
                if (pass.Add(batch) is { } ready && ready.Index >= skipped) yield return ready.Batch;
            }
            if (pass.End() is var last && last.Index >= skipped) yield return last.Batch;
        }
    }

    // One pass over the batches. Each is held back until the next one comes: only then is it known not to be the last.
    private sealed class Pass(int epoch, bool isFirst)
    {
        private Batch? _held;
        private int _next;

        public (Batch Batch, int Index)? Add(Batch batch)
        {
            var ready = _held;
            _held = batch;
            if (ready is null) return null;
            var index = _next++;
            return (ready with { Next = new DataPosition(epoch, _next) }, index);
        }

        public (Batch Batch, int Index) End() => _held is { } last
            ? (last with { Next = new DataPosition(epoch + 1, 0) }, _next)
            : throw new ArgumentException(isFirst
                ? "There are no batches to learn from."
                : "The batches gave none when they were enumerated again: give a sequence that can be, or fewer steps.");
    }
}
