using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>Where a weight of the canonical graph lies in the deployed file.</summary>
/// <param name="Initializer">The initializer (or Constant node's output) that stores it.</param>
/// <param name="Through">Operators between the stored tensor and its use, in the order of the data.</param>
/// <param name="IsTransposed">Whether the canonical matrix is the stored one transposed.</param>
public sealed record Origin(string Initializer, IReadOnlyList<string> Through, bool IsTransposed)
{
    /// <summary>Where a part of a stored vector starts in it.</summary>
    public long Start { get; init; }

    /// <summary>Whether its numbers are scaled on the way.</summary>
    internal bool IsScaled { get; init; }

    /// <summary>Follows a value of the deployed graph back to the tensor that it is; null when it is computed from inputs, from several
    /// tensors, or rounded.</summary>
    internal static Origin? Of(Value deployed) =>
        StoredPath.Of(deployed) is { IsExact: true } path
            ? new Origin(path.Stored.Name, path.Through, path.IsTransposed)
            {
                IsScaled = path.Steps.Any(step => step.Effect == ViewEffect.Scale),
            }
            : null;
}
