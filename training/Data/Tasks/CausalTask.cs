using LoRTA.Onnx.Training.Data.Readers;
using LoRTA.Onnx.Training.Data.Tokenizers;

namespace LoRTA.Onnx.Training.Data.Tasks;

/// <summary>Guess the next token: of every entry, of one packed stream, or of completions after their prompts.</summary>
internal sealed class CausalTask(DataOptions options, TextTokenizer tokenizer) : IDataTask
{
    public LabelKind Labels => LabelKind.NextToken;

    /// <summary>Samples without a label to learn (a prompt that fills the whole length) are left out.</summary>
    public IEnumerable<Sample> Encode(IReadOnlyList<DataRow> rows) =>
        (options.Packing ? Pack(rows) : rows.Select(row => Cut(Entry(row)))).Where(sample => sample.TokenLabels!.Skip(1).Any(label => label != Sample.Ignored));

    private IEnumerable<Sample> Pack(IReadOnlyList<DataRow> rows)
    {
        var entries = rows.Select(Entry).ToList();
        var ids = entries.SelectMany(entry => entry.Ids).Chunk(options.MaxLength);
        var labels = entries.SelectMany(entry => entry.Labels).Chunk(options.MaxLength);
        return ids.Zip(labels, (row, rowLabels) => new Sample(row) { TokenLabels = rowLabels }).Where(sample => sample.Ids.Length == options.MaxLength);
    }

    private Sample Cut((int[] Ids, long[] Labels) entry)
    {
        var length = Math.Min(entry.Ids.Length, options.MaxLength);
        return new Sample(entry.Ids[..length]) { TokenLabels = entry.Labels[..length] };
    }

    // bos + prompt + completion + eos; the prompt and the bos before it are given, not learnt.
    private (int[] Ids, long[] Labels) Entry(DataRow row)
    {
        var (prompt, learnt) = options.Template switch
        {
            { Prompt: { } given, Completion: { } completion } => (tokenizer.Encode(RowTemplate.Fill(given, row)), RowTemplate.Fill(completion, row)),
            { Text: { } text } => ([], RowTemplate.Fill(text, row)),
            _ => ([], row[options.Columns.Text]),
        };
        int[] head = [.. Token(options.Bos, tokenizer.Special.Bos), .. prompt];
        int[] tail = [.. tokenizer.Encode(learnt), .. Token(options.Eos, tokenizer.Special.Eos)];
        var headLabels = prompt.Length > 0 ? Enumerable.Repeat(Sample.Ignored, head.Length) : head.Select(id => (long)id);
        return ([.. head, .. tail], [.. headLabels, .. tail.Select(id => (long)id)]);
    }

    private static int[] Token(bool wanted, int? id) => wanted && id is { } token ? [token] : [];
}
