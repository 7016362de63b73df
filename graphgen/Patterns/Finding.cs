using System.Text.Json.Serialization;

namespace LoRTA.Onnx.GraphGen.Patterns;

/// <summary>Something in a model that was left alone, changed in meaning, or not understood.</summary>
/// <param name="Node">Name of the node (or its operator and output where it has none).</param>
/// <param name="Reason">What and why, in one sentence.</param>
public sealed record Finding(string Node, string Reason)
{
    /// <summary>For what was not understood: how far reading came, and what is missing.</summary>
    [JsonIgnore]
    public Explanation? Explanation { get; init; }
}
