using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Guess the next token: of every entry, of one packed stream, or of completions after their prompts.</summary>
internal sealed class CausalLmTask(DataContext data) : IRowEncoder
{
    public static TrainingTask Definition { get; } = new("causal-lm", LabelKind.Token)
    {
        Encoder = data => new CausalLmTask(data),
        Metrics = () => new TokenMetrics(shift: 1, isLanguage: true),
        Keys = ["data.template", "data.template.prompt", "data.bos", "data.eos", "data.packing", "train.samples"],
        WrapsRows = false,   // rows have ends of their own, which the length limit may cut off
    };

    /// <summary>Samples without a label to learn (a prompt that fills the whole length) are left out.</summary>
    public EncodedRows Encode(IReadOnlyList<DataRow> rows) =>
        data.Options.Packing ? Pack([.. rows.Select(Entry)]) : EncodedRows.Of(rows.Select(row => Cut(Entry(row))), HasLabel);

    // The first label has no logits before it.
    private static bool HasLabel(Sample sample) => sample.TokenLabels!.Skip(1).Any(label => label != Sample.Ignored);

    private EncodedRows Pack(List<Sample> entries)
    {
        var ids = entries.SelectMany(entry => entry.Ids).Chunk(data.Options.MaxLength);
        var labels = entries.SelectMany(entry => entry.TokenLabels!).Chunk(data.Options.MaxLength);
        var full = ids.Zip(labels, (row, rowLabels) => new Sample(row) { TokenLabels = rowLabels })
            .Where(sample => sample.Ids.Length == data.Options.MaxLength)
            .ToList();
        var kept = full.Where(HasLabel).ToList();
        var tail = entries.Sum(entry => (long)entry.Ids.Length) - ((long)full.Count * data.Options.MaxLength);
        return new EncodedRows(kept, new DataCounts
        {
            Rows = entries.Count,
            Cut = EntriesIn(tail, entries),
            TokensCut = tail,
            WithoutLabel = full.Count - kept.Count,
            Empty = entries.Count(entry => entry.IsEmpty),
        });
    }

    // How many entries the last tokens of the stream belong to.
    private static int EntriesIn(long tail, List<Sample> entries)
    {
        var count = 0;
        for (var i = entries.Count - 1; i >= 0 && tail > 0; i--)
        {
            tail -= entries[i].Ids.Length;
            if (entries[i].Ids.Length > 0) count++;
        }
        return count;
    }

    private Sample Cut(Sample entry)
    {
        var length = Math.Min(entry.Ids.Length, data.Options.MaxLength);
        return new Sample(entry.Ids[..length])
        {
            TokenLabels = entry.TokenLabels![..length],
            TokensCut = entry.Ids.Length - length,
            IsEmpty = entry.IsEmpty,
        };
    }

    // bos + prompt + completion + eos; the prompt and the bos before it are given, not learnt.
    private Sample Entry(DataRow row)
    {
        RowText? prompt = data.Options.Template is { Prompt.Length: > 0 } given ? RowTemplate.Fill(given.Prompt, row) : null;
        var learnt = data.Options.Template?.Completion is { } template
            ? RowTemplate.Fill(template, row)
            : row.Text(data.Options.Columns.Text);
        var promptIds = prompt is { } text ? data.Tokenizer.Encode(text.Value) : [];
        int[] head = [.. Token(data.Options.Bos, data.Tokenizer.Special.Bos), .. promptIds];
        int[] tail = [.. data.Tokenizer.Encode(learnt.Value), .. Token(data.Options.Eos, data.Tokenizer.Special.Eos)];
        var headLabels = promptIds.Length > 0 ? Enumerable.Repeat(Sample.Ignored, head.Length) : head.Select(id => (long)id);
        return new Sample([.. head, .. tail])
        {
            TokenLabels = [.. headLabels, .. tail.Select(id => (long)id)],
            IsEmpty = learnt.IsEmpty || prompt is { IsEmpty: true },
        };
    }

    private static int[] Token(bool wanted, int? id) => wanted && id is { } token ? [token] : [];
}
