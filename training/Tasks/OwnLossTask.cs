using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>What the model's own loss says: its input for labels decides what they are, tokens being the row's own.</summary>
internal static class OwnLossTask
{
    public static TrainingTask Definition { get; } = new("loss", Labels: null)
    {
        Encoder = data => data.OwnLabels == LabelKind.Token ? new CausalLmTask(data) : new TextEncoder(data, data.OwnLabels),
        Keys = ["taskOptions.output", "data.template"],
    };
}
