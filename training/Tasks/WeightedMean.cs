namespace LoRTA.Onnx.Training.Tasks;

/// <summary>A mean over batches that count by their labels: a loss, a share of correct tokens.</summary>
internal sealed class WeightedMean
{
    private double _sum;

    /// <summary>All labels so far.</summary>
    public long Count { get; private set; }

    public double Value => Count == 0 ? 0 : _sum / Count;

    /// <summary>Adds the mean of <paramref name="count"/> labels.</summary>
    public void Add(double mean, long count)
    {
        _sum += mean * count;
        Count += count;
    }
}
