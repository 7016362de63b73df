using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.Training.Data;

/// <summary>Rows that go through the model together.</summary>
public sealed record Batch
{
    /// <summary>Tensors by name of the model's input.</summary>
    public required IReadOnlyDictionary<string, Tensor> Inputs { get; init; }

    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Length of the padded rows.</summary>
    public required int Length { get; init; }

    /// <summary>Labels that count in the loss.</summary>
    public required long Labels { get; init; }

    /// <summary>Tokens that are no padding.</summary>
    public required long Tokens { get; init; }
}
