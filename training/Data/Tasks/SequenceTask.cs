using System.Globalization;
using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Data.Tokenizers;
using LoRTA.Onnx.Training.Errors;

namespace LoRTA.Onnx.Training.Data.Tasks;

/// <summary>One label per text or pair: a class, a number, or none.</summary>
internal sealed class SequenceTask(DataOptions options, TextTokenizer tokenizer, LabelKind labels) : IDataTask
{
    public LabelKind Labels => labels;

    public IEnumerable<Sample> Encode(IReadOnlyList<DataRow> rows) => rows.Select(Encode);

    private Sample Encode(DataRow row)
    {
        var text = options.Template?.Text is { } template ? RowTemplate.Fill(template, row) : row[options.Columns.Text];
        var encoded = tokenizer.EncodeWithSpecialTokens(text, options.Columns.Pair is { } pair ? row[pair] : null, options.MaxLength);
        if (encoded.Ids.Length == 0) throw DataErrors.BadLine(row.Path, row.Line, "the text has no tokens");
        return new Sample(encoded.Ids, encoded.TypeIds) { Label = labels is not LabelKind.None && options.Columns.Label is { } column ? ParseLabel(row, row[column]) : null };
    }

    private float ParseLabel(DataRow row, string label)
    {
        if (labels == LabelKind.Class) return ClassLabel.Parse(row, label, options);
        if (float.TryParse(label, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number)) return number;
        throw DataErrors.BadLabel(row.Path, row.Line, label, "a number");
    }
}
