using LoRTA.Onnx.Runtime.Tokenizers;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>A label per letter (proteins) or per word. The first token of each carries its label; further ones and special tokens do not
/// count.</summary>
internal sealed class TokenClassificationTask(DataContext data) : IRowEncoder
{
    public static TrainingTask Definition { get; } = new("token-classification", LabelKind.Token)
    {
        Encoder = data => new TokenClassificationTask(data),
        Metrics = () => new TokenMetrics(shift: 0, isLanguage: false),
        Predictions = labels => new TokenPredictions(labels),
        Keys = ["data.columns.mask", "data.labels"],
    };

    /// <summary>Rows of which no label counts, or is left within the length, are left out; those without labels (for predictions)
    /// stay.</summary>
    public EncodedRows Encode(IReadOnlyList<DataRow> rows) =>
        EncodedRows.Of(rows.Select(Encode), sample => sample.TokenLabels?.Any(label => label != Sample.Ignored) != false);

    private Sample Encode(DataRow row)
    {
        var (text, isEmpty) = row.Words(data.Options.Columns.Text);
        var units = Units(text);
        var labels = data.LabelColumn is { } column ? ReadLabels(row, row[column], units.Count) : null;
        var (ids, idLabels, starts) = (new List<int>(), new List<long>(), new int[units.Count]);
        for (var i = 0; i < units.Count; i++)
        {
            starts[i] = ids.Count;
            var pieces = IsWords(text) ? data.Tokenizer.EncodeWord(units[i], first: i == 0) : data.Tokenizer.Encode(units[i]);
            ids.AddRange(pieces);
            if (labels is not null) idLabels.AddRange(pieces.Select((_, index) => index == 0 ? labels[i] : Sample.Ignored));
        }
        var encoded = data.Tokenizer.Wrap([.. ids], maxLength: data.Options.MaxLength);
        if (encoded.Ids.Length == 0) throw DataErrors.BadLine(row.Path, row.Line, "the text has no tokens");
        return new Sample(encoded.Ids, encoded.TypeIds)
        {
            TokenLabels = labels is null ? null : Spread(encoded, idLabels),
            WordStarts = labels is null ? StartsIn(encoded, starts, ids.Count) : null,
            TokensCut = encoded.TokensCut,
            IsEmpty = isEmpty,
        };
    }

    private static long[] Spread(EncodedText encoded, List<long> idLabels)
    {
        var spread = new long[encoded.Ids.Length];
        Array.Fill(spread, Sample.Ignored);
        idLabels.CopyTo(0, spread, encoded.TextStart, encoded.TextLength);
        return spread;
    }

    // Of a word without tokens the next one's token, or the end, is where it would start.
    private static int[] StartsIn(EncodedText encoded, int[] starts, int end)
    {
        var places = new int[starts.Length];
        for (var i = 0; i < starts.Length; i++)
        {
            var hasTokens = starts[i] < (i + 1 < starts.Length ? starts[i + 1] : end);
            places[i] = hasTokens && starts[i] < encoded.TextLength ? encoded.TextStart + starts[i] : Sample.NoToken;
        }
        return places;
    }

    private long[] ReadLabels(DataRow row, string label, int count)
    {
        var names = Units(label);
        if (names.Count != count) throw DataErrors.LabelCount(row.Path, row.Line, names.Count, count);
        var mask = data.Options.Columns.Mask is { } column ? Units(row[column]) : null;
        if (mask is not null && mask.Count != count) throw DataErrors.LabelCount(row.Path, row.Line, mask.Count, count);
        return [.. names.Select((name, i) => mask?[i] == "0" ? Sample.Ignored : ClassLabel.Parse(row, name, data))];
    }

    private static bool HasSpaces(string text) => text.Any(char.IsWhiteSpace);

    // Words where there are spaces or labels are words themselves, else letters.
    private bool IsWords(string text) => HasSpaces(text) || data.Labels.Any(name => name.Length > 1);

    private List<string> Units(string text) => IsWords(text)
        ? [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)]
        : [.. text.EnumerateRunes().Select(rune => rune.ToString())];
}
