using System.Globalization;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>Reads what a model predicts for a batch.</summary>
internal interface IPredictions
{
    /// <summary>The predictions of the rows of a batch, each as the same columns.</summary>
    /// <param name="output">The logits.</param>
    /// <param name="samples">The samples of the rows.</param>
    IEnumerable<IReadOnlyList<PredictedCell>> Read(OnnxTensor output, IReadOnlyList<Sample> samples);
}

/// <summary>A cell of a predicted row.</summary>
/// <param name="Column">Name of its column.</param>
/// <param name="Text">What it holds; a number in invariant spelling, which reads back as the same float32.</param>
internal readonly record struct PredictedCell(string Column, string Text)
{
    public PredictedCell(string column, float number)
        : this(column, number.ToString(CultureInfo.InvariantCulture)) => (Number, IsBroken) = (number, !float.IsFinite(number));

    /// <summary>The number; null where it holds a text.</summary>
    public float? Number { get; }

    /// <summary>Whether it was made of numbers that are not finite.</summary>
    public bool IsBroken { get; init; }
}
