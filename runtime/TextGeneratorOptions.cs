using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Runtime;

/// <summary>What a generator is made of beside its model.</summary>
public sealed record TextGeneratorOptions
{
    /// <summary>The tokenizer's folder; null = the model's.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>The adapter that all texts are written with; null = none.</summary>
    public Adapter? Adapter { get; init; }

    /// <summary>Accept a base with other weights than the adapter was trained on.</summary>
    public bool AllowOtherBase { get; init; }
}
