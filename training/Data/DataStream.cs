using System.Globalization;

namespace LoRTA.Onnx.Training.Data;

/// <summary>The samples of one split as batches: epoch after epoch from any position, or once in order.</summary>
internal sealed class DataStream(
    IRowEncoder encoder, IReadOnlyList<Sample> samples, BatchPlan plan, Func<IReadOnlyList<Sample>, Batch> batchOf)
{
    /// <summary>The samples, in the order of the rows.</summary>
    public IReadOnlyList<Sample> Samples => samples;

    /// <summary>Number of samples.</summary>
    public int Count => samples.Count;

    /// <summary>Tokens of each sample, special tokens included.</summary>
    public IEnumerable<int> Lengths => samples.Select(sample => sample.Ids.Length);

    /// <summary>The file that the samples come from.</summary>
    public required string Path { get; init; }

    /// <summary>What became of the file's entries.</summary>
    public required DataCounts Counts { get; init; }

    public int BatchesPerEpoch => plan.Count;

    /// <summary>The batches from <paramref name="position"/> on, without end. A position gives the same batches whenever it is asked
    /// for.</summary>
    public IEnumerable<Batch> From(DataPosition position)
    {
        for (var epoch = position.Epoch; ; epoch++)
        {
            var batches = plan.Epoch(epoch);
            for (var i = epoch == position.Epoch ? position.Batch : 0; i < batches.Count; i++)
            {
                var next = i + 1 < batches.Count ? new DataPosition(epoch, i + 1) : new DataPosition(epoch + 1, 0);
                yield return Make(batches[i], epoch.ToString(CultureInfo.InvariantCulture)) with { Next = next };
            }
        }
    }

    /// <summary>Every sample once, always the same way: for evaluation and prediction. <see cref="Batch.Indices"/> leads back to the
    /// samples.</summary>
    public IEnumerable<Batch> InOrder() => plan.InOrder().Select(indices => Make(indices, "evaluation"));

    private Batch Make(int[] indices, string pass) =>
        batchOf([.. indices.Select(index => encoder.Draw(samples[index], pass, index))]) with { Indices = indices };
}

/// <summary>A place in the endless row of batches.</summary>
/// <param name="Epoch">Passes over the data done before.</param>
/// <param name="Batch">Batches of this pass done before.</param>
internal readonly record struct DataPosition(int Epoch, int Batch);
