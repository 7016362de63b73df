using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Data.Tokenizers;
using LoRTA.Onnx.Training.Errors;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Reads, splits and encodes the data of a run.</summary>
internal sealed class DataSource(DataOptions options, TextTokenizer tokenizer)
{
    private readonly TrainingTask _task = TrainingTasks.Of(options.Task);
    private readonly IRowEncoder _encoder = TrainingTasks.Of(options.Task).Encoder(options, tokenizer);

    /// <summary>The training split, and the validation split where one is asked for.</summary>
    /// <exception cref="LortaException">LRT505 to LRT516: the files, their columns or labels.</exception>
    public (DataStream Train, DataStream? Validation) Load()
    {
        if (options.Validation is { } validation) return (Read(options.Train), Read(validation));
        var rows = ReadRows(options.Train);
        var kept = TrainingRows(options.ValidationFraction, rows.Count);
        if (kept == 0) throw DataErrors.NothingLeft(options.Train, "all rows are for validation");
        return (Encode([.. rows.Take(kept)]), kept == rows.Count ? null : Encode([.. rows.Skip(kept)]));
    }

    /// <summary>All rows of any file, to be evaluated or predicted in order.</summary>
    public DataStream Read(string path) => Encode(ReadRows(path));

    /// <summary>⌊(1 − f)·n⌋ for f as it is written: 0.9 leaves 1 of 10, which binary arithmetic misses.</summary>
    public static int TrainingRows(double validationFraction, int rows) => (int)Math.Floor((1 - (decimal)validationFraction) * rows);

    private IReadOnlyList<DataRow> ReadRows(string path) => RowReader.Read(path, options.Format, options.Separator);

    private DataStream Encode(IReadOnlyList<DataRow> rows)
    {
        var special = _task.WrapsRows ? tokenizer.SpecialTokensAround(pair: options.Columns.Pair is not null) : 0;
        if (options.MaxLength <= special) throw DataErrors.NoRoom(options.MaxLength, special);
        var (samples, counts) = _encoder.Encode(rows);
        if (samples.Count == 0)
            throw DataErrors.NothingLeft(rows[0].Path, options.Packing ? "the entries do not fill one row" : "no entry has a label to learn");
        var plan = new BatchPlan(options.Seed, [.. samples.Select(sample => sample.Ids.Length)], options.BatchSize, options.Bucketing);
        return new DataStream(_encoder, samples, plan, BatchOf) { Path = rows[0].Path, Counts = counts };
    }

    private Batch BatchOf(IReadOnlyList<Sample> samples) => Batch.Of(samples, _task.Loss, _task.Labels ?? options.OwnLabels, tokenizer.Filler);
}
