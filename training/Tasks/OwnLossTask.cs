using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.Training.Tasks;

/// <summary>What the model's own loss says: its input for labels decides what they are, tokens being the row's own.</summary>
internal static class OwnLossTask
{
    public static TrainingTask Definition { get; } = new(new NamedLoss(), Labels: null)
    {
        Encoder = (options, tokenizer) => options.OwnLabels is LabelKind.Token
            ? new CausalLmTask(options, tokenizer)
            : new TextEncoder(options, tokenizer, options.OwnLabels),
        Keys = ["taskOptions.output", "data.template"],
    };
}
