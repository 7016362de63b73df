using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Finds a linear layer of the canonical graph in the deployed file.</summary>
internal static class StoredSite
{
    /// <summary>Where it lies; null when its weight is no stored tensor there.</summary>
    public static StoredLinear? Of(CanonicalModel model, Linear linear, Features features)
    {
        if (linear.Product.Source is not { } node || model.OriginOf(linear.Stored) is not { } weight || Operand(node, weight) is not { } operand) return null;
        var codes = linear.Quantized is { } quantized ? StoredCodes.Of(model, quantized) : null;
        if (linear.Quantized is not null && codes is null) return null;
        var bias = linear.Bias is { } value ? model.OriginOf(value) : null;
        return new StoredLinear
        {
            Node = node.Label,
            Op = node.OpType,
            Output = node.Output.Name,
            Weight = weight.Initializer,
            IsOutIn = linear.IsOutIn ^ weight.Transposed,
            Columns = features.Columns,
            Through = operand.Through,
            Codes = codes,
            Bias = bias?.Initializer,
            BiasColumns = bias is null ? null : [.. features.Columns.Select(range => (range.Start + bias.Start, range.End + bias.Start))],
            BiasNode = bias is null ? null : linear.BiasNode?.Source?.Label,
            BiasOutput = bias is null ? null : linear.BiasNode?.Source?.Output.Name,
        };
    }

    // The node's own way to the stored tensor, with the views that lie on it.
    private static Origin? Operand(Node node, Origin stored) =>
        node.Inputs.OfType<Value>().Select(Origin.Of).FirstOrDefault(origin => origin?.Initializer == stored.Initializer);
}
