using LoRTA.Onnx.GraphGen.Attention.Walks;
using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Attention;

/// <summary>Where a linear layer lies in the deployed file.</summary>
public sealed record StoredPlace
{
    /// <summary>The node that applies the weight: its name, or its operator and output where it has none.</summary>
    public required string Node { get; init; }

    /// <summary>Its operator.</summary>
    public required string Op { get; init; }

    /// <summary>Its first output.</summary>
    public required string Output { get; init; }

    /// <summary>The initializer (or Constant node's output) that stores the weight.</summary>
    public required string Weight { get; init; }

    /// <summary>How the stored matrix lies.</summary>
    public required Layout Layout { get; init; }

    /// <summary>This site's output features inside the stored matrix.</summary>
    public required FeatureRanges Columns { get; init; }

    /// <summary>Operators between the stored weight and the product, in the order of the data.</summary>
    public required IReadOnlyList<string> Through { get; init; }

    /// <summary>Rows and columns of the stored tensor, read as a matrix.</summary>
    internal (long Rows, long Columns) Size { get; init; }

    /// <summary>What the numbers of W are of the stored ones; null = the same.</summary>
    internal WeightFactor? Factor { get; init; }

    /// <summary>How the weight is quantised; null where it is stored as floats.</summary>
    public BlockLayout? Codes { get; init; }

    /// <summary>The initializer that stores the bias.</summary>
    public string? Bias { get; init; }

    /// <summary>This site's features inside the stored bias.</summary>
    public FeatureRanges? BiasColumns { get; init; }

    /// <summary>The node that adds the bias.</summary>
    public string? BiasNode { get; init; }

    /// <summary>First output of that node.</summary>
    internal string? BiasOutput { get; init; }

    /// <summary>Finds a linear layer of the canonical graph in the deployed file; null when its weight is no stored tensor there.</summary>
    internal static StoredPlace? Of(CanonicalModel model, LinearLayer linear, HeadFeatures features)
    {
        if (linear.Product.Source is not { } node || model.OriginOf(linear.Stored) is not { } weight) return null;
        if (Operand(node, weight) is not { IsExact: true } operand) return null;
        var codes = linear.Quantized is { } quantized ? StoredBlocks.Of(model, quantized) : null;
        if (linear.Quantized is not null ? codes is null : !operand.Tensor.Type.IsFloat()) return null;
        if ((codes is null ? SizeOf(operand) : (codes.Rows, codes.Columns)) is not { } size) return null;
        var bias = linear.Bias is { } value ? model.OriginOf(value) : null;
        return new StoredPlace
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
