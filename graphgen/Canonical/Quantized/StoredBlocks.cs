using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Weights;

namespace LoRTA.Onnx.GraphGen.Canonical.Quantized;

/// <summary>The low-bit matrices that a file stores, read off the canonical nodes that hold codes and scales.</summary>
internal static class StoredBlocks
{
    /// <summary>The layout of one matrix.</summary>
    /// <param name="model">The model.</param>
    /// <param name="node"><c>MatMulNBits</c>, <c>GatherBlockQuantized</c>, or <c>DequantizeLinear</c> of constants.</param>
    /// <returns>Null where a part is no stored tensor of the file.</returns>
    public static BlockLayout? Of(CanonicalModel model, Node node)
    {
        var (codesInput, scalesInput) = node.Op switch { OrtOps.MatMulNBits => (1, 2), OrtOps.GatherBlockQuantized => (0, 2), _ => (0, 1) };
        var codes = node.Input(codesInput)!;
        var scales = node.Input(scalesInput)!;
        var zero = node.Input(scalesInput + 1);
        if (Stored(scales) is not { } scaleName || node.Source is not { } reader || (zero is not null && Stored(zero) is null)) return null;
        var layout = BlockLayout.Of(node, codes.Constant!, model.Deployed.Graph.Find(scaleName)!.StoredTensor()!);
        if (model.OriginOf(codes) is { IsTransposed: true })
        {
            // blocks of the stored codes would lie the other way
            if (layout.BlockRows < layout.Rows && layout.BlockColumns < layout.Columns) return null;
            layout = layout.Transposed();
        }
        return layout with { Reader = reader.Output.Name, Scales = scaleName, ZeroPoints = zero is null ? null : Stored(zero) };

        string? Stored(Value value) => model.OriginOf(value)?.Initializer;
    }

    /// <summary>All low-bit matrices that a model stores, by the stored tensor.</summary>
    public static IReadOnlyDictionary<string, BlockLayout> In(CanonicalModel model)
    {
        var found = new Dictionary<string, BlockLayout>(StringComparer.Ordinal);
        foreach (var node in model.Model.Graph.Nodes)
        {
            if (CodesOf(node) is { } codes && model.OriginOf(codes) is { } origin && Of(model, node) is { } layout)
                found.TryAdd(origin.Initializer, layout);
        }
        return found;
    }

    private static Value? CodesOf(Node node) => node.Op switch
    {
        OrtOps.MatMulNBits when node.Input(1) is { IsConstant: true } codes && node.Input(2) is { IsConstant: true } => codes,
        OrtOps.GatherBlockQuantized when node.Input(0) is { IsConstant: true, Constant: { Rank: 2 } tensor } codes
            && IsInteger(tensor.Type) && node.Input(2) is { IsConstant: true } && IsTable(node) => codes,
        "DequantizeLinear" when node.Input(0) is { IsConstant: true, Constant: { Rank: 2 } tensor } codes && IsInteger(tensor.Type)
            && node.Input(1) is { IsConstant: true } => codes,
        _ => null,
    };

    private static bool IsTable(Node node) => node.Int("gather_axis", 0) == 0 && node.Int("quantize_axis", 1) is 1 or -1;

    private static bool IsInteger(ElementType type) =>
        type is ElementType.UInt4 or ElementType.Int4 or ElementType.UInt8 or ElementType.Int8;
}
