using System.Collections;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>The batches of one pass over a stream, which gives each pass its own order: a trainer asks for a place, everybody else gets
/// the first pass.</summary>
internal sealed class EpochBatches(DataStream data) : IReadOnlyCollection<Batch>
{
    public int Count => data.BatchesPerEpoch;

    /// <summary>The batches from a place on, without end.</summary>
    public IEnumerable<Batch> From(DataPosition position) => data.From(position);

    public IEnumerator<Batch> GetEnumerator() => data.From(default).Take(Count).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
