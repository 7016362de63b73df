using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>One label per text or pair, or none.</summary>
internal sealed class TextEncoder(DataContext data, LabelKind labels) : IRowEncoder
{
    public EncodedRows Encode(IReadOnlyList<DataRow> rows) => EncodedRows.Of(rows.Select(Encode), _ => true);

    /// <summary>A row's text or pair as tokens, without a label.</summary>
    public static Sample Tokens(DataRow row, DataContext data)
    {
        var text = data.Options.Template?.Completion is { } template
            ? RowTemplate.Fill(template, row)
            : row.Text(data.Options.Columns.Text);
        RowText? pair = data.Options.Columns.Pair is { } column ? row.Text(column) : null;
        var encoded = data.Tokenizer.EncodeWithSpecialTokens(text.Value, pair?.Value, data.Options.MaxLength);
        return new Sample(encoded.Ids, encoded.TypeIds)
        {
            TokensCut = encoded.TokensCut,
            IsEmpty = text.IsEmpty || pair is { IsEmpty: true },
        };
    }

    private Sample Encode(DataRow row)
    {
        var sample = Tokens(row, data);
        if (sample.Ids.Length == 0) throw DataErrors.BadLine(row.Path, row.Line, "the text has no tokens");
        return labels.Read is { } read && data.LabelColumn is { } column
            ? sample with { Label = read(row, row[column], data) }
            : sample;
    }
}
