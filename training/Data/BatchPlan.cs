using System.Globalization;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Which samples form which batch. Every epoch is a fresh permutation; the last short batch is kept, at the end.</summary>
/// <param name="seed">All orders are functions of (seed, epoch).</param>
/// <param name="lengths">Tokens of each sample.</param>
/// <param name="batchSize">Samples of a batch.</param>
/// <param name="bucketing">Sort by length inside windows of the permutation, so that batches need little filling, and shuffle the
/// batches.</param>
internal sealed class BatchPlan(long seed, IReadOnlyList<int> lengths, int batchSize, bool bucketing)
{
    /// <summary>Batches that a window is cut into.</summary>
    private const int Window = 20;

    private readonly bool _bucketing = bucketing && lengths.Distinct().Skip(1).Any();

    /// <summary>Batches of an epoch.</summary>
    public int Count => (int)Math.Ceiling((double)lengths.Count / batchSize);

    /// <summary>The batches of an epoch, as indices of samples.</summary>
    public IReadOnlyList<int[]> Epoch(int epoch)
    {
        var order = new SeededRandom(seed, Name("epoch", epoch)).Permutation(lengths.Count);
        if (!_bucketing) return [.. order.Chunk(batchSize)];
        var batches = order.Chunk((int)Math.Min((long)batchSize * Window, Array.MaxLength))
            .SelectMany(window => window.OrderBy(index => lengths[index]))
            .Chunk(batchSize)
            .ToList();
        var full = batches.Count(batch => batch.Length == batchSize);
        var shuffled = new SeededRandom(seed, Name("bucket", epoch)).Permutation(full).Select(index => batches[index]);
        return [.. shuffled, .. batches[full..]];
    }

    /// <summary>All samples once, in order, or from long to short where bucketing saves filling.</summary>
    public IReadOnlyList<int[]> InOrder()
    {
        var order = Enumerable.Range(0, lengths.Count);
        return [.. (_bucketing ? order.OrderByDescending(index => lengths[index]) : order).Chunk(batchSize)];
    }

    private static string Name(string what, int epoch) => string.Create(CultureInfo.InvariantCulture, $"data/{what}/{epoch}");
}
