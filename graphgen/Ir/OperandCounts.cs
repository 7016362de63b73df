using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Ir.Storage.Proto;

namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>How many of its first inputs an operator cannot do without: what a damaged file leaves out is found when it is read.</summary>
internal static class OperandCounts
{
    // Of the operators that this project reads. All others need an output, no more.
    private static readonly FrozenDictionary<string, int> Required = Table(
        (1,
        [
            "Abs", "Neg", "Sign", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Erf", "Sin", "Cos", "Tan", "Tanh",
            "Sigmoid", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Mish", "Gelu",
            "Shrink", "ThresholdedRelu", "Softmax", "LogSoftmax", "LpNormalization", "Clip", "Cast", "Identity", "Dropout", "Trilu",
            "Not", "IsNaN", "IsInf", "Shape", "Size", "NonZero", "ConstantOfShape", "EyeLike",
            "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Slice", "Pad",
            "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
            "ReduceLogSumExp", "ArgMax", "ArgMin", "TopK", "Einsum", "Sum", "Mean", "Max", "Min", "GlobalAveragePool", "GlobalMaxPool",
            "DynamicQuantizeLinear", OrtOps.Gelu, OrtOps.FastGelu, OrtOps.QuickGelu,
            OrtOps.Attention, OrtOps.MultiHeadAttention, OrtOps.GroupQueryAttention,
        ]),
        (2,
        [
            "Add", "Sub", "Mul", "Div", "Pow", "Mod", "PRelu", "MatMul", "Gemm", "MatMulInteger", "Conv", "ConvTranspose",
            "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor",
            "Gather", "GatherElements", "GatherND", "Reshape", "Expand", "Tile", "CumSum", "CastLike",
            "LayerNormalization", "SimplifiedLayerNormalization", "RMSNormalization", OrtOps.SkipLayerNormalization,
            "QuantizeLinear", "DequantizeLinear", OrtOps.QuantizeLinear, OrtOps.DequantizeLinear, OrtOps.FusedMatMul, OrtOps.BiasGelu,
        ]),
        (3,
        [
            "Where", "ScatterElements", "Scatter", "ScatterND", "Range", "OneHot", "InstanceNormalization", "GroupNormalization",
            "Attention", "RotaryEmbedding", OrtOps.SkipSimplifiedLayerNormalization, OrtOps.EmbedLayerNormalization,
            OrtOps.MatMulNBits, OrtOps.GatherBlockQuantized, OrtOps.DynamicQuantizeMatMul, OrtOps.MatMulIntegerToFloat,
        ]),
        (4, [OrtOps.RotaryEmbedding]),
        (5, ["BatchNormalization"]),
        (8, ["QLinearMatMul"]));

    /// <summary>What a stored node lacks, in words; null = nothing.</summary>
    public static string? Missing(NodeProto node)
    {
        if (node.Output.Count == 0 || node.Output[0].Length == 0) return "its first output";
        var op = OnnxOpsets.OpOf(node.Domain, node.OpType);
        if (!Required.TryGetValue(op, out var count)) return null;
        for (var i = 0; i < count; i++)
        {
            if ((op, i) is (OrtOps.EmbedLayerNormalization, 1)) continue;   // segment ids
            if (i >= node.Input.Count || node.Input[i].Length == 0) return $"input {i} of {node.OpType}";
        }
        return null;
    }

    private static FrozenDictionary<string, int> Table(params IEnumerable<(int Count, string[] Ops)> rows) =>
        rows.SelectMany(row => row.Ops.Select(op => (op, row.Count)))
            .ToFrozenDictionary(row => row.op, row => row.Count, StringComparer.Ordinal);
}
