using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>One number for each text or pair.</summary>
internal static class RegressionTask
{
    public static TrainingTask Definition { get; } = new("regression", LabelKind.Number)
    {
        Encoder = data => new TextEncoder(data, LabelKind.Number),
        Metrics = () => new RegressionMetrics(),
        Predictions = _ => new NumberPredictions(),
        Keys = ["data.template", "data.columns.pair"],
    };
}
