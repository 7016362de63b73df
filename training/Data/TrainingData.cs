using LoRTA.Onnx.GraphGen.Errors;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Data.Tasks;
using LoRTA.Onnx.Training.Data.Tokenizers;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Training and validation data of a run.</summary>
/// <param name="Train">The training split.</param>
/// <param name="Validation">The validation split; null where none is asked for.</param>
internal sealed record TrainingData(DataStream Train, DataStream? Validation)
{
    /// <summary>Reads, splits and encodes the data.</summary>
    /// <exception cref="LortaException">LRT505 to LRT513: the files, their columns or labels.</exception>
    public static TrainingData Load(string task, DataOptions options, TextTokenizer tokenizer, int batchSize, long seed)
    {
        var rows = RowReader.Read(options.Train, options.Format, options.Separator);
        var kept = options.Validation is null ? TrainingRows(options.ValidationFraction, rows.Count) : rows.Count;
        if (kept == 0) throw DataErrors.NothingLeft(options.Train, "all rows are for validation");
        var held = options.Validation is { } file ? RowReader.Read(file, options.Format, options.Separator) : [.. rows.Skip(kept)];
        var encoding = DataTasks.Create(task, options, tokenizer, seed);
        DataStream Stream(string path, IReadOnlyList<DataRow> split) =>
            Encode(encoding, path, split, options, tokenizer, batchSize, seed);
        return new TrainingData(
            Stream(options.Train, [.. rows.Take(kept)]),
            held.Count == 0 ? null : Stream(options.Validation ?? options.Train, held));
    }

    /// <summary>Rows of any file, to be evaluated or predicted in order.</summary>
    public static DataStream LoadFile(string path, string task, DataOptions options, TextTokenizer tokenizer, int batchSize, long seed) =>
        Encode(DataTasks.Create(task, options, tokenizer, seed), path, RowReader.Read(path, options.Format, options.Separator), options, tokenizer, batchSize, seed);

    /// <summary>⌊(1 − f)·n⌋ for f as it is written: 0.9 leaves 1 of 10, which binary arithmetic misses.</summary>
    public static int TrainingRows(double validationFraction, int rows) => (int)Math.Floor((1 - (decimal)validationFraction) * rows);

    private static DataStream Encode(
        IDataTask task, string path, IReadOnlyList<DataRow> rows, DataOptions options, TextTokenizer tokenizer, int batchSize, long seed)
    {
        var samples = task.Encode(rows).ToList();
        if (samples.Count == 0)
            throw DataErrors.NothingLeft(path, options.Packing ? "the entries do not fill one row" : "no entry has a label to learn");
        var plan = new BatchPlan(seed, [.. samples.Select(sample => sample.Ids.Length)], batchSize, options.Bucketing);
        return new DataStream(task, samples, plan, tokenizer.Filler);
    }
}
