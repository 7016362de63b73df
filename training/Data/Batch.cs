using LoRTA.Onnx.GraphGen.Attention.Inputs;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Samples side by side, filled up on the right.</summary>
/// <param name="Inputs">input_ids, attention_mask, token_type_ids, position_ids, int64 [B, S]; labels where there are any, int64 [B, S],
/// int64 [B] or float32 [B]. A graph takes what it has inputs for.</param>
/// <param name="Rows">B.</param>
/// <param name="Length">S, the longest sample.</param>
/// <param name="Labels">How many labels the loss averages over.</param>
/// <param name="Tokens">How many tokens are not filling.</param>
internal sealed record Batch(IReadOnlyDictionary<string, OnnxTensor> Inputs, int Rows, int Length, long Labels, long Tokens)
{
    /// <summary>Index of each row's sample in its set.</summary>
    public IReadOnlyList<int> Indices { get; init; } = [];

    /// <summary>Token id that its rows are padded with.</summary>
    public int Filler { get; init; }

    /// <summary>Where the data go on after this batch.</summary>
    public DataPosition Next { get; init; }

    /// <summary>Puts samples of one task together.</summary>
    /// <param name="samples">At least one.</param>
    /// <param name="loss">Counts their labels.</param>
    /// <param name="kind">What these look like.</param>
    /// <param name="filler">Token id for the places to be filled.</param>
    public static Batch Of(IReadOnlyList<Sample> samples, ILoss loss, LabelKind kind, int filler)
    {
        var length = samples.Max(sample => sample.Ids.Length);
        OnnxTensor Rows(Func<Sample, int, long> real, long fill) => Padded(samples, length, real, fill);
        var inputs = new Dictionary<string, OnnxTensor>(TextInputs.DefaultsFor(samples.Count, length), StringComparer.Ordinal)
        {
            [TextInputs.Ids] = Rows((sample, i) => sample.Ids[i], filler),
            [TextInputs.Mask] = Rows((_, _) => 1, 0),
            [TextInputs.Types] = Rows((sample, i) => sample.TypeIds[i], 0),
        };
        var labelCount = kind.Stack is null ? samples.Count : 0L;
        if (samples[0].IsLabelled && kind.Stack?.Invoke(samples, length) is { } labels)
        {
            inputs[TrainingNames.Labels] = labels;
            labelCount = loss.CountLabels(labels);
        }
        return new Batch(inputs, samples.Count, length, labelCount, samples.Sum(sample => (long)sample.Ids.Length)) { Filler = filler };
    }

    /// <summary>A number for each token, int64 [B, S].</summary>
    /// <param name="samples">B of them.</param>
    /// <param name="length">S.</param>
    /// <param name="real">The number of a sample's token.</param>
    /// <param name="fill">The number behind them.</param>
    public static OnnxTensor Padded(IReadOnlyList<Sample> samples, int length, Func<Sample, int, long> real, long fill)
    {
        var values = new long[samples.Count * length];
        for (var row = 0; row < samples.Count; row++)
            for (var i = 0; i < length; i++)
                values[(row * length) + i] = i < samples[row].Ids.Length ? real(samples[row], i) : fill;
        return OnnxTensor.Of<long>([samples.Count, length], values);
    }
}
