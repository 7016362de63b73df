using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Models as exporters write them without dynamic axes.</summary>
internal static class FixedModels
{
    /// <summary>The model with the sizes of its inputs of rank 2 fixed.</summary>
    /// <param name="model">The model, which is changed.</param>
    /// <param name="rows">Rows of a batch; null = any.</param>
    /// <param name="length">Tokens of a row; null = any.</param>
    /// <param name="names">The inputs; none = all.</param>
    public static OnnxModel WithSizes(OnnxModel model, long? rows, long? length, params string[] names)
    {
        foreach (var input in model.Graph.Inputs.Where(input => input.Shape?.Rank == 2 && (names.Length == 0 || names.Contains(input.Name))))
        {
            input.Shape = [rows is { } r ? new Dim(r) : input.Shape![0], length is { } l ? new Dim(l) : input.Shape![1]];
            input.Declaration = default;
        }
        foreach (var value in model.Graph.Values.Where(value => value.Producer is not null && !model.Graph.IsOutput(value))) (value.Shape, value.Declaration) = (null, default);   // stated for other sizes
        return model;
    }
}
