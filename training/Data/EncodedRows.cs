namespace LoRTA.Onnx.Training.Data;

/// <summary>The samples of rows, and what was lost on the way to them.</summary>
/// <param name="Samples">The samples that are learned from or measured on, in the order of the rows.</param>
/// <param name="Counts">What became of the rows.</param>
internal sealed record EncodedRows(IReadOnlyList<Sample> Samples, DataCounts Counts)
{
    /// <summary>One sample for each row, of which those without a label are dropped.</summary>
    /// <param name="samples">The samples of all rows.</param>
    /// <param name="hasLabel">Whether a sample has anything to learn.</param>
    public static EncodedRows Of(IEnumerable<Sample> samples, Func<Sample, bool> hasLabel)
    {
        var all = samples.ToList();
        var kept = all.Where(hasLabel).ToList();
        return new EncodedRows(kept, new DataCounts
        {
            Rows = all.Count,
            Cut = all.Count(sample => sample.TokensCut > 0),
            TokensCut = all.Sum(sample => (long)sample.TokensCut),
            WithoutLabel = all.Count - kept.Count,
            Empty = kept.Count(sample => sample.IsEmpty),
        });
    }
}
