using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.GraphGen.Discovery;

/// <summary>Finds a linear layer of the canonical graph in the deployed file.</summary>
internal static class StoredSite
{
    /// <summary>Where it lies; null when its weight is no stored tensor there.</summary>
    public static StoredLinear? Of(Linear linear, Features features)
    {
        if (linear.Product.Source is not { } node || node.Input(1) is not { } operand || Origin.Of(operand) is not { } weight) return null;
        var bias = linear.BiasNode?.Source is { } adder && adder.Input(linear.BiasInput) is { } value ? (Origin: Origin.Of(value), Node: adder.Name) : (null, null);
        return new StoredLinear
        {
            Node = node.Name,
            Op = node.OpType,
            Output = node.Output.Name,
            Weight = weight.Initializer,
            IsOutIn = linear.IsOutIn ^ weight.Transposed,
            Columns = features.Columns,
            Through = weight.Through,
            Bias = bias.Origin?.Initializer,
            BiasColumns = bias.Origin is null ? null : features.Columns,
            BiasNode = bias.Origin is null ? null : bias.Node,
        };
    }
}
