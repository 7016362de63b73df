using System.Globalization;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Training.Data;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Guess hidden tokens, drawn anew in each pass.</summary>
/// <remarks>Of those drawn 80 % become the mask, 10 % any token, 10 % stay (Devlin et al. 2018, section 3.1). The draw is a function of
/// (seed, pass, sample). At least one token of a sample is drawn, so that every batch has labels.</remarks>
internal sealed class MaskedLmTask(DataContext data) : IRowEncoder
{
    public static TrainingTask Definition { get; } = new("masked-lm", LabelKind.Token)
    {
        Encoder = data => new MaskedLmTask(data),
        Metrics = () => new TokenMetrics(shift: 0, isLanguage: true),
        Keys = ["taskOptions.probability", "data.template", "data.columns.pair"],
    };

    private readonly int _mask = data.Tokenizer.Special.Mask ?? throw DataErrors.NoSpecialToken("mask", Definition.Name);

    /// <summary>Rows whose text has no tokens of its own are left out.</summary>
    public EncodedRows Encode(IReadOnlyList<DataRow> rows) =>
        EncodedRows.Of(rows.Select(row => TextEncoder.Tokens(row, data)), sample => sample.Ids.Any(CanBeHidden));

    public Sample Draw(Sample sample, string pass, int index)
    {
        var random = new SeededRandom(data.Recipe.Seed, string.Create(CultureInfo.InvariantCulture, $"data/mask/{pass}/{index}"));
        var ids = (int[])sample.Ids.Clone();
        var labels = new long[sample.Ids.Length];
        var drawn = 0;
        for (var i = 0; i < ids.Length; i++)
        {
            labels[i] = Sample.Ignored;
            if (!CanBeHidden(ids[i]) || random.NextUniform() >= data.Recipe.TaskOptions.Probability) continue;
            Hide(ids, labels, i, random);
            drawn++;
        }
        if (drawn == 0)
        {
            var places = Enumerable.Range(0, ids.Length).Where(i => CanBeHidden(ids[i])).ToList();
            Hide(ids, labels, places[random.NextIndex(places.Count)], random);
        }
        return sample with { Ids = ids, TokenLabels = labels };
    }

    private bool CanBeHidden(int id) => !data.Tokenizer.Special.All.Contains(id);

    private void Hide(int[] ids, long[] labels, int at, SeededRandom random)
    {
        labels[at] = ids[at];
        var (how, other) = (random.NextUniform(), random.NextIndex(data.Tokenizer.VocabularySize));
        if (how < 0.8) ids[at] = _mask;
        else if (how < 0.9) ids[at] = other;
    }
}
