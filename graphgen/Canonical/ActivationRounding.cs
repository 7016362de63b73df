using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Canonical;

/// <summary>Whether a deployed file rounds activations to integers when it runs, so that its numbers depend on the processor.</summary>
internal static class ActivationRounding
{
    public static bool IsIn(Model model) => model.Graph.Nodes.Any(node => node.OpType switch
    {
        "QuantizeLinear" => node.Input(0) is { IsConstant: false },
        "DynamicQuantizeLinear" or "DynamicQuantizeMatMul" or "MatMulIntegerToFloat" or "QGemm" => true,
        var op when op.StartsWith("QLinear", StringComparison.Ordinal) => true,
        "MatMulNBits" => node.Int("accuracy_level", 0) == 4,
        _ => false,
    });
}
