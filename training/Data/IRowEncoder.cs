using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Makes samples of rows.</summary>
internal interface IRowEncoder
{
    /// <summary>The samples of rows, in their order, and what became of the rows.</summary>
    EncodedRows Encode(IReadOnlyList<DataRow> rows);

    /// <summary>The sample as one pass over the data shows it; differs between passes where a task draws at random.</summary>
    /// <param name="sample">The encoded sample.</param>
    /// <param name="pass">Names the pass, for instance <c>3</c> for an epoch.</param>
    /// <param name="index">Index of the sample in its set.</param>
    Sample Draw(Sample sample, string pass, int index) => sample;
}
