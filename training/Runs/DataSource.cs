using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Recipes;
using LoRTA.Onnx.Training.Tasks;

namespace LoRTA.Onnx.Training.Runs;

/// <summary>Reads, splits and encodes the data of a run.</summary>
internal sealed class DataSource(DataContext data)
{
    private readonly TrainingTask _task = TrainingTasks.Of(data.Loss);
    private readonly IRowEncoder _encoder = TrainingTasks.Of(data.Loss).Encoder(data);
    private readonly DataOptions _options = data.Options;

    /// <summary>The training split, and the validation split where one is asked for.</summary>
    /// <exception cref="LortaException">LRT505 to LRT516: the files, their columns or labels; LRT520: the tokenizer of another
    /// model.</exception>
    public (DataStream Train, DataStream? Validation) Load()
    {
        if (_options.Validation is { } validation) return (Read(_options.Train), Read(validation));
        var rows = ReadRows(_options.Train);
        var kept = TrainingRows(_options.ValidationFraction ?? 0, rows.Count);
        if (kept == 0) throw DataErrors.NothingLeft(_options.Train, "all rows are for validation");
        return (Encode([.. rows.Take(kept)]), kept == rows.Count ? null : Encode([.. rows.Skip(kept)]));
    }

    /// <summary>All rows of any file, to be evaluated in order.</summary>
    public DataStream Read(string path) => Encode(ReadRows(path));

    /// <summary>⌊(1 − f)·n⌋ for f as it is written: 0.9 leaves 1 of 10, which binary arithmetic misses.</summary>
    public static int TrainingRows(double validationFraction, int rows) => (int)Math.Floor((1 - (decimal)validationFraction) * rows);

    private IReadOnlyList<DataRow> ReadRows(string path) => RowReader.Read(path, _options.Format, _options.Separator);

    /// <summary>Rows that were read already.</summary>
    /// <param name="rows">At least one.</param>
    public DataStream Encode(IReadOnlyList<DataRow> rows)
    {
        var special = _task.WrapsRows ? data.Tokenizer.SpecialTokensAround(pair: _options.Columns.Pair is not null) : 0;
        if (_options.MaxLength <= special) throw DataErrors.NoRoom(_options.MaxLength, special);
        var (samples, counts) = _encoder.Encode(rows);
        if (samples.Count == 0)
        {
            var why = _options.Packing ? "the entries do not fill one row" : "no entry has a label to learn";
            throw DataErrors.NothingLeft(rows[0].Path, why);
        }
        var token = samples.Max(sample => sample.Ids.DefaultIfEmpty().Max());
        if (token >= data.Vocabulary) throw DataErrors.OtherTokenizer(rows[0].Path, data.Recipe.Tokenizer!, token, data.Vocabulary.Value);
        var lengths = samples.Select(sample => sample.Ids.Length).ToList();
        var plan = new BatchPlan(data.Recipe.Seed, lengths, data.Recipe.Train.BatchSize, _options.Bucketing);
        var counted = counts with { MaxLength = _options.MaxLength };
        return new DataStream(_encoder, samples, plan, BatchOf) { Path = rows[0].Path, Counts = counted };
    }

    private Batch BatchOf(IReadOnlyList<Sample> samples) =>
        Batch.Of(samples, _task.Labels ?? data.OwnLabels, data.Tokenizer.Filler);
}
