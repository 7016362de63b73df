using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>One class for each text or pair.</summary>
internal static class ClassificationTask
{
    public static TrainingTask Definition { get; } = new("classification", LabelKind.Class)
    {
        Encoder = data => new TextEncoder(data, LabelKind.Class),
        Metrics = () => new ClassificationMetrics(),
        Predictions = labels => new ClassPredictions(labels),
        Keys = ["data.template", "data.columns.pair", "data.labels"],
    };
}
