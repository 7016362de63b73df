using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Tests.Shared;

/// <summary>Exports without dynamic axes: the same graph for one batch size, one length, or both.</summary>
internal static class FixedSizes
{
    /// <summary>Fixes the first two axes of every input [batch, length, ..]; what the file says about other values goes.</summary>
    /// <param name="model">The model, which is changed.</param>
    /// <param name="batch">Rows; null: as in the file.</param>
    /// <param name="length">Tokens of a row; null: as in the file.</param>
    public static Model Of(Model model, long? batch, long? length)
    {
        foreach (var input in model.Graph.Inputs.Where(input => input.Shape is { Rank: >= 2 }))
        {
            input.Shape = [batch is { } rows ? rows : input.Shape![0], length is { } tokens ? tokens : input.Shape![1], .. input.Shape!.Skip(2)];
            input.Declaration = default;
        }
        foreach (var value in model.Graph.Values.Where(value => value.Producer is not null)) (value.Shape, value.Declaration) = (null, default);
        return model;
    }
}
