using LoRTA.Onnx.Training.Data;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>What a loss of the model's own says, or one that a user gave: its input for labels decides what they are, tokens being the
/// row's own.</summary>
internal static class OwnLossTask
{
    /// <summary>The model computes its loss itself.</summary>
    public static TrainingTask Definition { get; } = Of("loss", "taskOptions.output", "data.template");

    /// <summary>A loss that is in a user's catalog, which knows its output itself.</summary>
    /// <param name="loss">Its name.</param>
    public static TrainingTask OfUser(string loss) => Of(
        loss, "data.template", "data.template.prompt", "data.columns.pair", "data.labels", "data.bos", "data.eos", "data.packing");

    private static TrainingTask Of(string name, params IReadOnlyList<string> keys) => new(name, Labels: null)
    {
        Encoder = data => data.OwnLabels == LabelKind.Token ? new CausalLmTask(data) : new TextEncoder(data, data.OwnLabels),
        Keys = keys,
    };
}
