using LoRTA.Onnx.Bench.Models;
using LoRTA.Onnx.Bench.Peer;

namespace LoRTA.Onnx.Bench;

/// <summary>The variants that a comparison runs; the first one is the peer that ratios refer to.</summary>
internal static class StepVariants
{
    public static OrderedDictionary<string, Func<RobertaShape, IStepVariant>> All { get; } = new()
    {
        [TorchLoraStep.VariantName] = shape => new TorchLoraStep(shape),
        ["lora"] = shape => new AdapterStep("lora", shape),
        ["lorta"] = shape => new AdapterStep("lorta", shape),
        ["vera"] = shape => new AdapterStep("vera", shape),
        ["nola"] = shape => new AdapterStep("nola", shape),
        ["lotr"] = shape => new AdapterStep("lotr", shape),
        ["fact_tt"] = shape => new AdapterStep("fact_tt", shape),
        ["fact_tk"] = shape => new AdapterStep("fact_tk", shape),
        ["forward only"] = GraphStep.Forward,
        ["bare matrix products"] = GraphStep.Products,
    };

    public static IStepVariant Create(string name) => All[name](new RobertaShape());
}
