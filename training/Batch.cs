using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training;

/// <summary>Rows of tokens side by side, padded on the right: what a model takes at once.</summary>
public sealed record Batch
{
    /// <summary>A batch as it is.</summary>
    /// <param name="inputs">See <see cref="Inputs"/>.</param>
    /// <param name="rows">B.</param>
    /// <param name="length">S.</param>
    /// <param name="tokens">How many tokens are not padding.</param>
    internal Batch(IReadOnlyDictionary<string, OnnxTensor> inputs, int rows, int length, long tokens) =>
        (Inputs, Rows, Length, Tokens) = (inputs, rows, length, tokens);

    /// <summary>input_ids, attention_mask, token_type_ids, position_ids, int64 [B, S]; labels where there are any, int64 [B, S],
    /// int64 [B] or float32 [B]. A graph takes what it has inputs for.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Inputs { get; internal init; }

    /// <summary>Number of rows, B.</summary>
    public int Rows { get; internal init; }

    /// <summary>Tokens of the longest row, S.</summary>
    public int Length { get; internal init; }

    /// <summary>How many tokens are not padding.</summary>
    public long Tokens { get; internal init; }

    /// <summary>Index of each row's sample in its set.</summary>
    internal IReadOnlyList<int> Indices { get; init; } = [];

    /// <summary>Token id that its rows are padded with.</summary>
    internal int Filler { get; init; }

    /// <summary>Where the data go on after this batch.</summary>
    internal DataPosition Next { get; init; }

    /// <summary>A batch of tensors that are named as the model's inputs, and <c>labels</c>. An attention mask of ones, token types of
    /// zeros and positions 0, 1, … are added where they are absent.</summary>
    /// <param name="inputs">Among them <c>input_ids</c>, int64 [B, S].</param>
    /// <exception cref="ArgumentException">No <c>input_ids</c>, or of another shape.</exception>
    public static Batch Of(params ReadOnlySpan<(string Name, OnnxTensor Value)> inputs)
    {
        var named = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (var (name, value) in inputs)
            if (!named.TryAdd(name, value)) throw new ArgumentException($"There are two tensors '{name}'.", nameof(inputs));
        if (named.GetValueOrDefault(TextInputs.Ids) is not { Type: ElementType.Int64, Dims.Count: 2, Count: > 0 and <= int.MaxValue } ids)
            throw new ArgumentException("A batch needs 'input_ids', int64 [rows, tokens].", nameof(inputs));
        foreach (var (name, tensor) in TextInputs.DefaultsFor(ids.Dims[0], ids.Dims[1])) named.TryAdd(name, tensor);
        var mask = named[TextInputs.Mask];
        return new Batch(named, (int)ids.Dims[0], (int)ids.Dims[1], mask.Type == ElementType.Int64 ? mask.ToLongs().Sum() : ids.Count);
    }

    /// <summary>Puts examples together, padded to the longest.</summary>
    /// <param name="rows">At least one; all have labels of one kind, or none.</param>
    /// <param name="filler">Token id for the places to be filled.</param>
    /// <exception cref="ArgumentException">No rows, or rows whose labels are of different kinds.</exception>
    public static Batch Padded(IReadOnlyList<Example> rows, int filler = 0)
    {
        if (rows.Count == 0) throw new ArgumentException("A batch needs at least one row.", nameof(rows));
        var kinds = rows.Select(row => row.Labels).Distinct().ToList();
        return kinds.Count == 1
            ? Of([.. rows.Select(row => row.ToSample())], kinds[0], filler)
            : throw new ArgumentException("All rows of a batch need labels of one kind, or none.", nameof(rows));
    }

    /// <summary>Puts samples of one task together.</summary>
    /// <param name="samples">At least one.</param>
    /// <param name="kind">What their labels look like.</param>
    /// <param name="filler">Token id for the places to be filled.</param>
    internal static Batch Of(IReadOnlyList<Sample> samples, LabelKind kind, int filler)
    {
        var length = samples.Max(sample => sample.Ids.Length);
        OnnxTensor Rows(Func<Sample, int, long> real, long fill) => Padded(samples, length, real, fill);
        var inputs = new Dictionary<string, OnnxTensor>(TextInputs.DefaultsFor(samples.Count, length), StringComparer.Ordinal)
        {
            [TextInputs.Ids] = Rows((sample, i) => sample.Ids[i], filler),
            [TextInputs.Mask] = Rows((_, _) => 1, 0),
            [TextInputs.Types] = Rows((sample, i) => sample.TypeIds[i], 0),
        };
        if (samples[0].IsLabelled && kind.Stack?.Invoke(samples, length) is { } labels) inputs[TrainingNames.Labels] = labels;
        return new Batch(inputs, samples.Count, length, samples.Sum(sample => (long)sample.Ids.Length)) { Filler = filler };
    }

    /// <summary>How many labels a loss of it is the mean over; without labels each row counts.</summary>
    internal long LabelsFor(ILoss loss) => Inputs.GetValueOrDefault(TrainingNames.Labels) is { } labels ? loss.CountLabels(labels) : Rows;

    /// <summary>A number for each token, int64 [B, S].</summary>
    /// <param name="samples">B of them.</param>
    /// <param name="length">S.</param>
    /// <param name="real">The number of a sample's token.</param>
    /// <param name="fill">The number behind them.</param>
    internal static OnnxTensor Padded(IReadOnlyList<Sample> samples, int length, Func<Sample, int, long> real, long fill)
    {
        var values = new long[samples.Count * length];
        for (var row = 0; row < samples.Count; row++)
            for (var i = 0; i < length; i++)
                values[(row * length) + i] = i < samples[row].Ids.Length ? real(samples[row], i) : fill;
        return OnnxTensor.Of<long>([samples.Count, length], values);
    }
}
