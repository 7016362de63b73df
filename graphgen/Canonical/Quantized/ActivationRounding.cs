using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>Whether a deployed file rounds activations to integers when it runs, so that its numbers depend on the processor.</summary>
internal static class ActivationRounding
{
    public static bool IsIn(OnnxModel model) => model.Graph.Nodes.Any(node => node.Op switch
    {
        "QuantizeLinear" or OrtOps.QuantizeLinear => node.Input(0) is { IsConstant: false },
        "DynamicQuantizeLinear" or OrtOps.DynamicQuantizeMatMul or OrtOps.MatMulIntegerToFloat or OrtOps.QGemm => true,
        OrtOps.MatMulNBits => node.Int("accuracy_level", 0) == 4,
        _ => node.OpType.StartsWith("QLinear", StringComparison.Ordinal),
    });
}
