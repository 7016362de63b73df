using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.GraphGen.Losses;
using LoRTA.Onnx.Training.Data.Readers;

namespace LoRTA.Onnx.Training.Data;

/// <summary>What the labels of a task look like: how they are read, put together and drawn. A task whose labels look different states a
/// kind of its own.</summary>
internal sealed class LabelKind
{
    private const int Numbers = 5;   // drawn ones are below it

    /// <summary>No labels: each sample counts once.</summary>
    public static LabelKind None { get; } = new() { Stack = null, Draw = null };

    /// <summary>int64 [B]: a class per sample.</summary>
    public static LabelKind Class { get; } = new()
    {
        Read = (row, label, data) => ClassLabel.Parse(row, label, data),
        Stack = (samples, _) => OnnxTensor.Vector<long>([.. samples.Select(sample => (long)sample.Label!.Value)]),
        Draw = (random, size) => OnnxTensor.Vector<long>(random.NextIndices(size.Rows, size.Classes)),
    };

    /// <summary>float32 [B]: a number per sample.</summary>
    public static LabelKind Number { get; } = new()
    {
        Read = ParseNumber,
        Stack = (samples, _) => OnnxTensor.Vector<float>([.. samples.Select(sample => sample.Label!.Value)]),
        Draw = (random, size) => OnnxTensor.Vector<float>([.. random.NextIndices(size.Rows, Numbers).Select(value => (float)value)]),
    };

    /// <summary>int64 [B, S]: a class or an id per token.</summary>
    public static LabelKind Token { get; } = new()
    {
        Stack = (samples, length) => Batch.Padded(samples, length, (sample, i) => sample.TokenLabels![i], Sample.Ignored),
        Draw = (random, size) =>
            OnnxTensor.Of<long>([size.Rows, size.Length], random.NextIndices(size.Rows * size.Length, size.Classes)),
    };

    /// <summary>Reads the label of a row, where there is one for each row.</summary>
    public Func<DataRow, string, DataContext, float>? Read { get; init; }

    /// <summary>Puts the labels of samples one below the other, the longest of which has so many tokens; null = there are none.</summary>
    public required Func<IReadOnlyList<Sample>, int, OnnxTensor>? Stack { get; init; }

    /// <summary>Draws the labels of a batch, for checks that need no data; null = there are none.</summary>
    public required Func<SeededRandom, (int Rows, int Length, int Classes), OnnxTensor>? Draw { get; init; }

    /// <summary>What a model's own input for labels takes.</summary>
    /// <exception cref="LortaException">LRT518: no labels look like that.</exception>
    public static LabelKind Of(Graph graph)
    {
        if (graph.Find(TrainingNames.Labels) is not { IsInput: true } labels) return None;
        return labels.Shape?.Rank switch
        {
            2 => Token,
            1 or null => labels.Type.IsFloat() ? Number : Class,
            _ => throw DataErrors.OtherLabels(labels),
        };
    }

    private static float ParseNumber(DataRow row, string label, DataContext data) =>
        float.TryParse(label, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number)
            ? number
            : throw DataErrors.BadLabel(row.Path, row.Line, label, "a number");
}
