using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Finds a linear layer of the canonical graph in the deployed file.</summary>
internal static class StoredSite
{
    /// <summary>Where it lies; null when its weight is no stored tensor there.</summary>
    public static StoredLinear? Of(CanonicalModel model, Linear linear, Features features)
    {
        if (linear.Product.Source is not { } node || model.OriginOf(linear.Stored) is not { } weight) return null;
        if (Operand(node, weight) is not { IsExact: true } operand) return null;
        var codes = linear.Quantized is { } quantized ? StoredCodes.Of(model, quantized) : null;
        if (linear.Quantized is not null ? codes is null : !operand.Tensor.Type.IsFloat()) return null;
        if ((codes is null ? SizeOf(operand) : (codes.Rows, codes.Columns)) is not { } size) return null;
        var bias = linear.Bias is { } value ? model.OriginOf(value) : null;
        return new StoredLinear
        {
            Node = node.Label,
            Op = node.OpType,
            Output = node.Output.Name,
            Weight = weight.Initializer,
            Layout = linear.Layout.Transposed(weight.IsTransposed),
            Columns = features.Columns,
            Through = operand.Through,
            Size = size,
            Factor = FactorOf(operand, model.FactorOf(linear.Scales)),
            Codes = codes,
            Bias = bias?.Initializer,
            BiasColumns = bias is null ? null : features.Columns.Shifted(bias.Start),
            BiasNode = bias is null ? null : linear.BiasNode?.Source?.Label,
            BiasOutput = bias is null ? null : linear.BiasNode?.Source?.Output.Name,
        };
    }

    // The node's own way to the stored tensor, with the views that lie on it.
    private static StoredPath? Operand(Node node, Origin stored) =>
        node.Inputs.Select(StoredPath.Of).FirstOrDefault(path => path?.Stored.Name == stored.Initializer);

    private static (long Rows, long Columns)? SizeOf(StoredPath operand) =>
        operand.Axes?.Matrix() is { } matrix ? (matrix.Rows, matrix.Columns) : null;

    private static WeightFactor? FactorOf(StoredPath operand, WeightFactor? around) =>
        operand.Factor() is { } at ? new WeightFactor(at, around?.ByInput, around?.ByOutput) : around;
}
