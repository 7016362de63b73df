using LoRTA.Onnx.GraphGen.Canonical;
using LoRTA.Onnx.GraphGen.Canonical.Quantized;

namespace LoRTA.Onnx.GraphGen.Parameters;

/// <summary>How many numbers a model computes with: weights, norms, biases and tables; a low-bit matrix counts by its rows and columns, not
/// by the bytes of its codes.</summary>
public static class ParameterCount
{
    /// <summary>Counts tensors of rank 1 and more, each once: a tied or transposed weight is stored once.</summary>
    /// <param name="deployed">The model as it is stored.</param>
    public static long Of(OnnxModel deployed) => Of(CanonicalModel.Of(deployed));

    /// <inheritdoc cref="Of(OnnxModel)"/>
    /// <param name="model">The model's training copy.</param>
    public static long Of(CanonicalModel model)
    {
        var matrices = StoredBlocks.In(model);
        var scales = matrices.Values.SelectMany(layout => new[] { layout.Scales, layout.ZeroPoints }).OfType<string>()
            .ToHashSet(StringComparer.Ordinal);
        var plain = model.Model.Graph.Initializers
            .Where(value => value.Constant is { } tensor && (tensor.Type.IsFloat() ? tensor.Rank > 0 : IsTable(tensor)))
            .Select(value => (Name: model.OriginOf(value)?.Initializer ?? value.Name, value.Constant!.Count))
            .DistinctBy(parameter => parameter.Name, StringComparer.Ordinal)
            .Where(parameter => !matrices.ContainsKey(parameter.Name) && !scales.Contains(parameter.Name));
        return plain.Sum(parameter => parameter.Count) + matrices.Values.Sum(layout => layout.Rows * layout.Columns);
    }

    // Codes that are looked up before their scale is applied.
    private static bool IsTable(OnnxTensor tensor) => tensor is { Type: ElementType.Int8 or ElementType.UInt8, Rank: > 1 };
}
